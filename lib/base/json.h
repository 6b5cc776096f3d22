/* SPDX-License-Identifier: MIT */
/*
 * json.h - read etcd's answers and write documents.  No other module uses cJSON.
 *
 * struct json is a node of a parsed tree.  The tree owns its nodes, and the texts that the readers
 * return.  A reader accepts NULL and a node of another type, and then returns NULL or false.  So
 * check an answer once, after the last step.  Only json_next() and json_name() need a node.  cJSON
 * refuses more than 1000 levels of nesting.
 */
#ifndef ETCDREG_LIB_BASE_JSON_H
#define ETCDREG_LIB_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "lib/etcd-registry.h"

struct json;

/*
 * Parses the whole of `text`, which must be NUL-terminated at text[len].  NULL: not JSON, more text
 * after it, or no memory.  The caller frees the tree with json_free().
 */
struct json *json_parse(const char *text, size_t len);
void json_free(struct json *root);

/* Returns the member of exactly this name. */
const struct json *json_get(const struct json *object, const char *member);

/* Return the first element of an array or object, and the element after another. */
const struct json *json_first(const struct json *array);
const struct json *json_next(const struct json *element);

/* Returns the name of a member; NULL for an element of an array. */
const char *json_name(const struct json *member);

bool json_is_object(const struct json *node);
bool json_is_true(const struct json *node);

/* Returns the text of a string. */
const char *json_text(const struct json *node);

/* Returns a new string: a string's text, or another value as JSON on one line.  NULL: no memory. */
char *json_value(const struct json *node);

/* Reads an integer, also from a string: etcd's gateway writes 64-bit integers as strings. */
bool json_int(const struct json *node, int64_t *ret);

/* Adds `text` as a JSON string, with its quotes. */
void json_quote(struct buf *b, const char *text);

/* An error, from an answer of any version of etcd. */
struct json_error {
	bool v2;      /* `code` is one of the v2 API (100: key not found), else a gRPC code */
	int64_t code; /* 0: none given */
	const char *message; /* never empty */
};

/* Returns whether the answer is an error; *ret then borrows from the tree. */
bool json_read_error(const struct json *answer, struct json_error *ret);

/* The five fields of a document.  A missing text is NULL, a missing port is 0. */
struct json_document {
	const char *name;
	const char *hostname;
	const char *host;
	const char *url;
	unsigned port;
};

/* Borrows the texts from the tree.  Returns false if `root` is not an object. */
bool json_read_document(const struct json *root, struct json_document *ret);

/*
 * Writes a document as a new string: the port (unless it is 0), the members of `meta`, then the
 * four texts.  `meta` is a JSON object or NULL; its members with the name of one of the five fields
 * are left out.  The caller frees *ret.  Fails with ETCDREG_E_INVALID if `meta` is not a JSON
 * object, or cannot be read for lack of memory.  Fails with ETCDREG_E_NOMEM if there is no memory
 * for the document.
 */
int json_write_document(const struct json_document *document, const char *meta, char **ret,
			struct etcdreg_err *err);

/* Returns a copy of `text` on one line.  json_parse() must have accepted it.  NULL: no memory. */
char *json_one_line(const char *text);

#endif
