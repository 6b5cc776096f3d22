/* SPDX-License-Identifier: MIT */
/*
 * json.h - reading etcd's answers and writing documents.  The only user of cJSON.
 *
 * struct json is a node of a parsed tree; nodes and texts handed out belong to the tree.  Every
 * reader accepts NULL and a node of another type, and says "not there" (NULL, false): an answer
 * is checked once, by whether the last step gave something.  Nesting is limited by cJSON (1000).
 */
#ifndef ETCDREG_LIB_BASE_JSON_H
#define ETCDREG_LIB_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct json;

/*
 * The whole of `text`, which must be NUL-terminated at text[len].  NULL: not JSON, something after
 * it, or no memory.
 */
struct json *json_parse(const char *text, size_t len);
void json_free(struct json *root);

/* A member, by its exact name. */
const struct json *json_get(const struct json *object, const char *member);

/* The first element of an array or object, and the one after an element. */
const struct json *json_first(const struct json *array);
const struct json *json_next(const struct json *element);

/* The name of a member; NULL: an element of an array. */
const char *json_name(const struct json *member);

bool json_is_object(const struct json *node);
bool json_is_true(const struct json *node);

/* The text of a string. */
const char *json_text(const struct json *node);

/* A string's text, or anything else as JSON on one line: a new string.  NULL: no memory. */
char *json_value(const struct json *node);

/* An integer; etcd's gateway writes 64-bit ones as strings, both are read. */
bool json_int(const struct json *node, int64_t *ret);

/* Adds a JSON string, with its quotes. */
void json_quote(struct buf *b, const char *text);

/* An error as any version of etcd words it. */
struct json_error {
	bool v2;      /* `code` is one of the keys API (100: key not found), else a gRPC code */
	int64_t code; /* 0: none given */
	const char *message; /* never empty */
};

/* Whether the answer is an error; *ret then borrows from the tree. */
bool json_read_error(const struct json *answer, struct json_error *ret);

/* The five fields of a document; a text that is not there is NULL, a port that is not there 0. */
struct json_document {
	const char *name;
	const char *hostname;
	const char *host;
	const char *url;
	unsigned port;
};

/* False: not an object. */
bool json_read_document(const struct json *root, struct json_document *ret);

/*
 * A document: the port (not where it is 0), the members of `meta` (a JSON object, or NULL)
 * without those called like one of the five fields, then the other four.  A new string; NULL:
 * meta is not a JSON object, or no memory.
 */
char *json_write_document(const struct json_document *document, const char *meta);

/* A copy on one line of a text that json_parse() has taken; NULL: no memory. */
char *json_one_line(const char *text);

#endif
