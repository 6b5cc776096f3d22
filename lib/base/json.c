/* SPDX-License-Identifier: MIT */
/* Reads etcd's answers and writes documents, with cJSON. */
#define _GNU_SOURCE
#include "json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "err.h"
#include "parse.h"

#define DOUBLE_EXACT_MAX 9007199254740992.0 /* 2^53 */
#define ESCAPE_LEN 6                        /* of "\u001b" */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static const char *const document_fields[] = {"name", "port", "hostname", "host", "url"};

/* No file defines struct json: it is cJSON under a name that other files may use. */
static const cJSON *item_of(const struct json *node)
{
	return (const cJSON *)(const void *)node;
}

static const struct json *json_of(const cJSON *item)
{
	return (const struct json *)(const void *)item;
}

static void tree_release(cJSON **root)
{
	cJSON_Delete(*root);
}

struct json *json_parse(const char *text, size_t len)
{
	return (struct json *)(void *)cJSON_ParseWithLengthOpts(text, len + 1, NULL, 1);
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)(void *)root);
}

const struct json *json_get(const struct json *object, const char *member)
{
	return json_of(cJSON_GetObjectItemCaseSensitive(item_of(object), member));
}

const struct json *json_first(const struct json *array)
{
	const cJSON *item = item_of(array);

	return item ? json_of(item->child) : NULL;
}

const struct json *json_next(const struct json *element)
{
	return json_of(item_of(element)->next);
}

const char *json_name(const struct json *member)
{
	return item_of(member)->string;
}

bool json_is_object(const struct json *node)
{
	return cJSON_IsObject(item_of(node));
}

bool json_is_true(const struct json *node)
{
	return cJSON_IsTrue(item_of(node));
}

const char *json_text(const struct json *node)
{
	return cJSON_GetStringValue(item_of(node));
}

char *json_value(const struct json *node)
{
	const char *text = json_text(node);

	return text ? strdup(text) : cJSON_PrintUnformatted(item_of(node));
}

static bool parse_int(const char *s, int64_t *ret)
{
	bool negative = s[0] == '-';
	uint64_t n;

	if (!parse_uint(s + negative, strlen(s + negative), 0, INT64_MAX, &n))
		return false;
	*ret = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

bool json_int(const struct json *node, int64_t *ret)
{
	const cJSON *item = item_of(node);
	double d;

	if (cJSON_IsString(item))
		return parse_int(item->valuestring, ret);
	if (!cJSON_IsNumber(item))
		return false;
	d = item->valuedouble;
	if (!(d >= -DOUBLE_EXACT_MAX && d <= DOUBLE_EXACT_MAX) || d != (double)(int64_t)d)
		return false;
	*ret = (int64_t)d;
	return true;
}

static void add_escape(struct buf *b, char control)
{
	buf_printf(b, "\\u%04x", (unsigned char)control);
}

void json_quote(struct buf *b, const char *text)
{
	buf_puts(b, "\"");
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ') {
			add_escape(b, *text);
		} else {
			if (*text == '"' || *text == '\\')
				buf_puts(b, "\\");
			buf_add(b, text, 1);
		}
	}
	buf_puts(b, "\"");
}

static const char *first_text(const struct json *a, const struct json *b)
{
	const char *text = json_text(a);

	if (!text)
		text = json_text(b);
	return text && text[0] != '\0' ? text : "no reason given";
}

bool json_read_error(const struct json *answer, struct json_error *ret)
{
	const struct json *error = json_get(answer, "error");
	struct json_error e = {0};

	if (json_get(answer, "errorCode")) {
		e.v2 = true;
		json_int(json_get(answer, "errorCode"), &e.code);
		e.message = first_text(json_get(answer, "message"), NULL);
	} else if (json_is_object(error)) {
		if (!json_int(json_get(error, "grpc_code"), &e.code))
			json_int(json_get(error, "code"), &e.code);
		e.message = first_text(json_get(error, "message"), NULL);
	} else if (json_get(answer, "Code") && json_get(answer, "Error")) {
		json_int(json_get(answer, "Code"), &e.code);
		e.message = first_text(json_get(answer, "Error"), NULL);
	} else if (error || (json_get(answer, "code") && json_get(answer, "message"))) {
		json_int(json_get(answer, "code"), &e.code);
		e.message = first_text(json_get(answer, "message"), error);
	} else {
		return false;
	}
	*ret = e;
	return true;
}

bool json_read_document(const struct json *root, struct json_document *ret)
{
	int64_t port;

	if (!json_is_object(root))
		return false;
	*ret = (struct json_document){
		.name = json_text(json_get(root, "name")),
		.hostname = json_text(json_get(root, "hostname")),
		.host = json_text(json_get(root, "host")),
		.url = json_text(json_get(root, "url")),
	};
	if (json_int(json_get(root, "port"), &port) && port > 0 && port <= UINT16_MAX)
		ret->port = (unsigned)port;
	return true;
}

static bool add_fields(cJSON *tree, const struct json_document *document)
{
	return cJSON_AddStringToObject(tree, "name", document->name) &&
	       cJSON_AddStringToObject(tree, "hostname", document->hostname) &&
	       cJSON_AddStringToObject(tree, "host", document->host) &&
	       cJSON_AddStringToObject(tree, "url", document->url);
}

int json_write_document(const struct json_document *document, const char *meta, char **ret,
			struct etcdreg_err *err)
{
	CLEANUP(tree)
	cJSON *tree = meta ? cJSON_ParseWithOpts(meta, NULL, 1) : cJSON_CreateObject();
	char *text;
	cJSON *port;
	bool ok;

	if (meta && !cJSON_IsObject(tree))
		return err_set(err, ETCDREG_E_INVALID, "meta '%s' is not a JSON object", meta);
	for (size_t i = 0; i < ARRAY_LEN(document_fields); i++) {
		while (cJSON_GetObjectItemCaseSensitive(tree, document_fields[i]))
			cJSON_DeleteItemFromObjectCaseSensitive(tree, document_fields[i]);
	}
	ok = add_fields(tree, document);
	if (ok && document->port != 0) {
		port = cJSON_AddNumberToObject(tree, "port", document->port);
		ok = port &&
		     (port == tree->child ||
		      cJSON_InsertItemInArray(tree, 0, cJSON_DetachItemViaPointer(tree, port)));
	}
	text = ok ? cJSON_PrintUnformatted(tree) : NULL;
	if (!text)
		return err_nomem(err);
	*ret = text;
	return 0;
}

/*
 * Without cJSON_Minify(), which takes a quote after an escaped backslash for an escaped quote.
 * cJSON accepts control characters that JSON does not allow: in a string as they are, and between
 * the values as blanks.
 */
char *json_one_line(const char *text)
{
	CLEANUP(buf) struct buf b = BUF_INIT(strlen(text) * ESCAPE_LEN);
	const char *run = text + (strncmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0);
	bool in_string = false;

	for (const char *s = run; *s != '\0'; s++) {
		if (*s == '"') {
			in_string = !in_string;
		} else if (in_string && *s == '\\' && s[1] != '\0') {
			s++;
		} else if ((unsigned char)*s < ' ' || (*s == ' ' && !in_string)) {
			buf_add(&b, run, (size_t)(s - run));
			if (in_string)
				add_escape(&b, *s);
			run = s + 1;
		}
	}
	buf_puts(&b, run);
	return buf_detach(&b);
}
