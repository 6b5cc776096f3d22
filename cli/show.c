/* SPDX-License-Identifier: MIT */
/* Print services to stdout. */
#define _GNU_SOURCE
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/json.h"
#include "terminal.h"

#define COLUMN_GAP 2

static const char *entry_name(const struct etcdreg_entry *entry)
{
	return entry->name;
}

static const char *entry_host(const struct etcdreg_entry *entry)
{
	return entry->host;
}

static const char *entry_url(const struct etcdreg_entry *entry)
{
	return entry->url;
}

static const struct column {
	const char *heading;
	const char *(*text)(const struct etcdreg_entry *entry);
} columns[] = {
	{"NAME", entry_name},
	{"HOST", entry_host},
	{"URL", entry_url},
};

static const struct change_style {
	const char *word;
	enum colour colour;
} change_styles[] = {
	[ETCDREG_FOUND] = {"found", COLOUR_NONE},
	[ETCDREG_ADDED] = {"added", COLOUR_GREEN},
	[ETCDREG_CHANGED] = {"changed", COLOUR_YELLOW},
	[ETCDREG_REMOVED] = {"removed", COLOUR_RED},
};

static void put_coloured(enum colour colour, const char *text)
{
	if (colour != COLOUR_NONE)
		terminal_colour(stdout, colour);
	terminal_text(stdout, text);
	if (colour != COLOUR_NONE)
		terminal_colour(stdout, COLOUR_NONE);
}

static size_t column_width(const struct column *column, struct etcdreg_entry *const *entries,
			   size_t len)
{
	size_t width = strlen(column->heading);

	for (size_t i = 0; i < len; i++) {
		size_t cell = terminal_text(NULL, column->text(entries[i]));

		if (cell > width)
			width = cell;
	}
	return width;
}

static void put_heading(const size_t *widths)
{
	terminal_colour(stdout, COLOUR_BOLD);
	for (size_t i = 0; i + 1 < ARRAY_LEN(columns); i++)
		printf("%-*s", (int)(widths[i] + COLUMN_GAP), columns[i].heading);
	fputs(columns[ARRAY_LEN(columns) - 1].heading, stdout);
	terminal_colour(stdout, COLOUR_NONE);
	putchar('\n');
}

static void put_row(const struct etcdreg_entry *entry, const size_t *widths)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		size_t width = terminal_text(stdout, columns[i].text(entry));

		if (i + 1 < ARRAY_LEN(columns))
			printf("%*s", (int)(widths[i] - width + COLUMN_GAP), "");
	}
	putchar('\n');
}

static void put_table(struct etcdreg_entry *const *entries, size_t len)
{
	size_t widths[ARRAY_LEN(columns)];

	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		widths[i] = column_width(&columns[i], entries, len);
	put_heading(widths);
	for (size_t i = 0; i < len; i++)
		put_row(entries[i], widths);
}

static void put_array(struct etcdreg_entry *const *entries, size_t len)
{
	putchar('[');
	for (size_t i = 0; i < len; i++) {
		fputs(i == 0 ? "\n" : ",\n", stdout);
		terminal_json(entries[i]->json);
	}
	puts(len > 0 ? "\n]" : "]");
}

static size_t member_width(const struct json *document)
{
	size_t width = 0;

	for (const struct json *m = json_first(document); m; m = json_next(m)) {
		size_t cell = terminal_text(NULL, json_name(m));

		if (cell > width)
			width = cell;
	}
	return width;
}

static void put_member(const struct json *member, size_t width)
{
	CLEANUP(free) char *value = json_value(member);

	printf("%*s", COLUMN_GAP, "");
	width -= terminal_text(stdout, json_name(member));
	printf("%*s", (int)(width + COLUMN_GAP), "");
	terminal_text(stdout, value ? value : "");
	putchar('\n');
}

/* Prints the name, and below it the other members of the document. */
static void put_document(const struct etcdreg_entry *entry)
{
	struct json *document = json_parse(entry->json, strlen(entry->json));
	size_t width = member_width(document);

	put_coloured(COLOUR_BOLD, entry->name);
	putchar('\n');
	for (const struct json *m = json_first(document); m; m = json_next(m)) {
		if (strcmp(json_name(m), "name") != 0)
			put_member(m, width);
	}
	json_free(document);
}

void show_list(const struct options *opts, struct etcdreg_entry *const *entries, size_t len)
{
	if (opts->own & OWN_JSON) {
		put_array(entries, len);
	} else if (opts->own & OWN_FORMAT) {
		for (size_t i = 0; i < len; i++)
			format_print(opts->format, entries[i], NULL);
	} else if (opts->own & OWN_VERBOSE) {
		for (size_t i = 0; i < len; i++)
			put_document(entries[i]);
	} else if (len > 0) {
		put_table(entries, len);
	}
}

void show_one(const struct options *opts, struct etcdreg_entry *entry)
{
	if (opts->own & OWN_JSON) {
		terminal_json(entry->json);
		putchar('\n');
	} else {
		show_list(opts, &entry, 1);
	}
}

static void put_change(const struct change_style *style, const struct etcdreg_entry *entry)
{
	put_coloured(style->colour, style->word);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		printf("%*s", COLUMN_GAP, "");
		terminal_text(stdout, columns[i].text(entry));
	}
	putchar('\n');
}

void show_change(const struct options *opts, const struct etcdreg_change *change)
{
	const struct change_style *style = &change_styles[change->type];

	if (opts->own & OWN_JSON) {
		printf("{\"change\":\"%s\",\"service\":", style->word);
		terminal_json(change->entry->json);
		puts("}");
	} else if (opts->own & OWN_FORMAT) {
		format_print(opts->format, change->entry, style->word);
	} else {
		put_change(style, change->entry);
	}
}
