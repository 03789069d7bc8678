/** @file page.c  The files of the page, as they stand in daemon/ops/page/ */
#include "daemon/ops/page.h"

#include <stddef.h>

/* The assembler reads the file from where make runs. */
#define FILE_OF(name, path)                                                    \
	__asm__(".section .rodata\n"                                           \
		#name ":\n.incbin \"" path "\"\n" #name "_end:\n.byte 0\n"     \
		".previous\n");                                                \
	extern const char name[], name##_end[]

FILE_OF(page_index_html, "daemon/ops/page/index.html");
FILE_OF(page_page_js, "daemon/ops/page/page.js");
FILE_OF(page_page_css, "daemon/ops/page/page.css");

const struct page_file page_files[] = {
	{ "/", "text/html; charset=utf-8", page_index_html,
	  page_index_html_end },
	{ "/page.js", "text/javascript; charset=utf-8", page_page_js,
	  page_page_js_end },
	{ "/page.css", "text/css; charset=utf-8", page_page_css,
	  page_page_css_end },
	{ NULL, NULL, NULL, NULL },
};
