/**
 * @file map.h  Hash map from 64-bit hashes to pointers the caller owns
 *
 * Open addressing, grows by doubling.  Keys that collide in all 64 bits are
 * told apart by the caller's `same`.  Order of iteration is not defined: what
 * must be deterministic keeps a list beside it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t hash;
	void *value;
};

/** `{0}` is an empty map. */
struct map {
	struct map_slot *slots;
	size_t size;   /**< Slots, a power of two */
	size_t used;   /**< Slots with a value or a grave */
	size_t count;  /**< Values */
};

typedef bool map_same_fn(const void *value, const void *key);

/** @return 0 or -ENOMEM.  Does not look whether the key is there already. */
int map_put(struct map *m, uint64_t hash, void *value);
/** @return the value for which `same(value, key)` holds, or NULL */
void *map_find(const struct map *m, uint64_t hash, map_same_fn *same,
	       const void *key);
/** Take out exactly this value. */
void map_remove(struct map *m, uint64_t hash, const void *value);
void map_free(struct map *m);
