/**
 * @file activated.h  Sockets that systemd listens on for us
 *
 * The protocol of sd_listen_fds(3), by hand: LISTEN_PID names us, LISTEN_FDS
 * counts descriptors from 3 on.  Whoever connects while we are not there waits
 * in the socket's backlog instead of being refused.
 */
#pragma once

/**
 * The listening UNIX stream socket at exactly this path.
 *
 * @return its descriptor, close-on-exec, or -ENOENT: none was handed over
 */
int activated_unix(const char *path);
