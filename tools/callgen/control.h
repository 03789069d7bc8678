/**
 * @file control.h  A client of trunkscribed's control socket
 *
 * Questions are answered in order (INTERFACES section 4).
 */
#pragma once

#include <jansson.h>
#include <uv.h>

struct control;

/** @param answer Borrowed; NULL: the connection broke, no more come */
typedef void control_answer_fn(const json_t *answer, void *arg);

/** Where it cannot connect every question is answered with NULL. */
struct control *control_open(uv_loop_t *loop, const char *path);
/** No answers afterwards.  NULL is fine. */
void control_close(struct control *c);
/** Takes over `question`. */
void control_ask(struct control *c, json_t *question, control_answer_fn *fn,
		 void *arg);
