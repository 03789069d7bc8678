/**
 * @file table.h  The one table of sections and keys
 *
 * A new key is one row in table.c and one member in config.h; parser, limits,
 * messages and sample file follow from the row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
	CONFIG_TEXT,     /**< min, max: length [bytes] */
	CONFIG_PATH,     /**< The same, of a file or socket */
	CONFIG_URL,      /**< Empty, or ws:// or wss:// */
	CONFIG_PROXY,    /**< Empty, or http://host:port */
	CONFIG_PIN,      /**< Empty, or a SHA-256 in hex */
	CONFIG_ADDRESS,  /**< An IP address */
	CONFIG_SOCKET,   /**< The same with a port: "127.0.0.1:9480" */
	CONFIG_PORTS,    /**< "24000-27999", ports.h */
	CONFIG_CHOICE,   /**< One of `choices`; empty when min is 0 */
	CONFIG_BOOL,
	CONFIG_NUMBER,
	CONFIG_MODE,     /**< A file's access, octal */
	CONFIG_SIZE,     /**< [bytes], "256M" */
	CONFIG_DURATION, /**< [ms], "250ms" */
	CONFIG_LIST,     /**< Texts */
	CONFIG_PARAMS,   /**< "name=value" texts */
	CONFIG_LISTEN,   /**< List of sockets, listen.h; `choices`: transports */
	CONFIG_NETWORKS, /**< List of address ranges, base/network.h */
};

/** What the members of a section belong to. */
enum config_home { HOME_CONFIG, HOME_ASR, HOME_ROUTE, HOME_NONE };

struct config_section {
	const char *name;
	enum config_home home;
	bool titled;     /**< asr "name" */
	bool many;       /**< May come more than once */
	bool later;      /**< Known, refused: nothing serves it yet */
	size_t given;    /**< HOME_CONFIG: offset of its `given` */
	const char *help;
};

struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	const char *preset;   /**< The default, as it is written */
	uint64_t min, max;
	const char *choices;  /**< Separated by one blank */
	bool restart;         /**< Takes effect at the next start only */
	bool later;           /**< Known, refused unless it is the default */
	size_t at, size;      /**< The member; size 0: none yet */
	const char *example;  /**< For the sample, when it says more */
	const char *help;
};

extern const struct config_section config_sections[];
extern const size_t config_n_sections;
/** The keys of one section stand together, in the order they are shown. */
extern const struct config_key config_keys[];
extern const size_t config_n_keys;

/** @return NULL: no such section */
const struct config_section *config_section_find(const char *name);
/** @return NULL: no such key in that section */
const struct config_key *config_key_find(const char *section, const char *name);
/** Is its member a NULL-ended list? */
bool config_is_list(enum config_type type);
/** What a value of this key looks like, for messages: "a duration ..." */
const char *config_type_help(enum config_type type);
