/* SPDX-License-Identifier: MIT */
/* What the command prints: services on stdout, messages on stderr. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "command.h"
#include "util.h"

#define MESSAGE_MAX (2 * ETCDREG_ERR_MAX)
#define COLUMN_GAP  2

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

/*
 * A standard descriptor that is closed would be the number of the next socket, and the table would
 * be written to etcd. Opened the wrong way round, it fails as a closed one does.
 */
static void occupy_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

void output_init(void)
{
	occupy_standard_fds();
	setlocale(LC_CTYPE, "");
	setvbuf(stderr, NULL, _IOLBF, 0);
}

/*
 * Print one character of *s, or a '?' for it, unless `out` is NULL, and step over it.
 * Returns the columns it takes.
 */
static size_t put_char(FILE *out, const char **s)
{
	mbstate_t state = {0};
	wchar_t wc;
	size_t len = mbrtowc(&wc, *s, strnlen(*s, MB_CUR_MAX), &state);
	bool whole = len != (size_t)-1 && len != (size_t)-2;
	bool printable = whole && iswprint((wint_t)wc) && wcwidth(wc) > 0;

	if (!whole)
		len = 1;
	if (out && printable)
		fwrite(*s, 1, len, out);
	else if (out)
		putc('?', out);
	*s += len;
	return printable ? (size_t)wcwidth(wc) : 1;
}

static size_t put_text(FILE *out, const char *text)
{
	size_t width = 0;

	while (*text != '\0')
		width += put_char(out, &text);
	return width;
}

void output_message(const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	flockfile(stderr);
	fputs("etcd-registry: ", stderr);
	put_text(stderr, message);
	putc('\n', stderr);
	funlockfile(stderr);
}

int output_error(const struct etcdreg_err *err)
{
	output_message("%s", err->msg);
	switch (err->code) {
	case ETCDREG_E_NOTFOUND:
		return STATUS_NOTHING;
	case ETCDREG_E_CONFIG:
	case ETCDREG_E_INVALID:
		return STATUS_USAGE;
	default:
		return STATUS_FAILED;
	}
}

static size_t column_width(const struct column *column, const struct etcdreg_entry *entries,
			   size_t len)
{
	size_t width = strlen(column->heading);

	for (size_t i = 0; i < len; i++) {
		size_t cell = put_text(NULL, column->text(&entries[i]));

		if (cell > width)
			width = cell;
	}
	return width;
}

/* `entry` NULL: the heading. */
static void put_row(const struct etcdreg_entry *entry, const size_t *widths)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		const char *text = entry ? columns[i].text(entry) : columns[i].heading;
		size_t width = put_text(stdout, text);

		if (i + 1 < ARRAY_LEN(columns))
			printf("%*s", (int)(widths[i] - width + COLUMN_GAP), "");
	}
	putchar('\n');
}

void output_table(const struct etcdreg_entry *entries, size_t len)
{
	size_t widths[ARRAY_LEN(columns)];

	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		widths[i] = column_width(&columns[i], entries, len);
	put_row(NULL, widths);
	for (size_t i = 0; i < len; i++)
		put_row(&entries[i], widths);
}

void output_change(const char *word, const struct etcdreg_entry *entry)
{
	fputs(word, stdout);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		printf("%*s", COLUMN_GAP, "");
		put_text(stdout, columns[i].text(entry));
	}
	putchar('\n');
}

void output_array(const struct etcdreg_entry *entries, size_t len)
{
	putchar('[');
	for (size_t i = 0; i < len; i++)
		printf("%s%s", i == 0 ? "\n" : ",\n", entries[i].json);
	puts(len > 0 ? "\n]" : "]");
}

int output_finish(int status)
{
	/* A stream that nothing was written to is not flushed: `join >&-` is no failure. */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	output_message("cannot write to standard output: %s", strerror(errno));
	return STATUS_FAILED;
}
