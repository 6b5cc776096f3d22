/* SPDX-License-Identifier: MIT */
/* Reads entries from the keys and documents of etcd. */
#define _GNU_SOURCE
#include "entry.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

void entry_release(struct etcdreg_entry *e)
{
	free(e->name);
	free(e->hostname);
	free(e->host);
	free(e->url);
	free(e->json);
	*e = (struct etcdreg_entry){0};
}

void etcdreg_entry_free(struct etcdreg_entry *entry)
{
	if (!entry)
		return;
	entry_release(entry);
	free(entry);
}

void etcdreg_list_free(struct etcdreg_entry **entries)
{
	if (!entries)
		return;
	for (size_t i = 0; entries[i]; i++)
		etcdreg_entry_free(entries[i]);
	free(entries);
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

static enum entry_result fill(struct etcdreg_entry *e, const struct json_document *document,
			      const char *text)
{
	e->name = copy(document->name);
	e->hostname = copy(document->hostname);
	e->host = copy(document->host);
	e->url = copy(document->url);
	e->port = document->port;
	e->json = json_one_line(text);
	if (e->name && e->hostname && e->host && e->url && e->json)
		return ENTRY_READ;
	entry_release(e);
	return ENTRY_NOMEM;
}

enum entry_result entry_read(const char *text, const char *name, struct etcdreg_entry *ret)
{
	struct json *json = json_parse(text, strlen(text));
	enum entry_result result = ENTRY_NONE;
	struct json_document document;

	*ret = (struct etcdreg_entry){0};
	if (json_read_document(json, &document) &&
	    (!name || (document.name && strcmp(document.name, name) == 0)))
		result = fill(ret, &document, text);
	json_free(json);
	return result;
}

bool entry_is_of(const char *folder, const char *name, const char *path)
{
	size_t len = strlen(folder);
	const char *slash;

	if (strncmp(path, folder, len) != 0)
		return false;
	slash = strchr(path + len, '/');
	if (name)
		return !slash;
	return slash && !strchr(slash + 1, '/');
}
