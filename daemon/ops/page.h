/** @file page.h  The files of the page, as they stand in daemon/ops/page/ */
#pragma once

struct page_file {
	const char *path;   /**< NULL: the end */
	const char *type;
	const char *data, *end;
};

extern const struct page_file page_files[];
