/* SPDX-License-Identifier: MIT */
/* Make texts from etcd harmless, and colour text. */
#define _GNU_SOURCE
#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

/* Only terminal_init() writes it. */
static struct {
	bool stdout_is_terminal;
	bool stdout_colours;
	bool stderr_colours;
	bool speaks_utf8; /* the locale's encoding is UTF-8 */
	locale_t utf8;    /* 0: not installed, read texts in the user's locale */
} terminal;

static bool colours_are_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return (!no_color || *no_color == '\0') && term && *term != '\0' &&
	       strcmp(term, "dumb") != 0;
}

void terminal_init(void)
{
	bool wanted = colours_are_wanted();

	setlocale(LC_CTYPE, "");
	terminal.stdout_is_terminal = isatty(STDOUT_FILENO);
	terminal.stdout_colours = wanted && terminal.stdout_is_terminal;
	terminal.stderr_colours = wanted && isatty(STDERR_FILENO);
	terminal.speaks_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	terminal.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Reads a character, and returns its length in bytes.  WEOF: a byte that starts no character. */
static size_t decode(const char *s, wint_t *ret)
{
	mbstate_t state = {0};
	wchar_t wc;
	size_t len = mbrtowc(&wc, s, strnlen(s, MB_CUR_MAX), &state);

	if (len == (size_t)-1 || len == (size_t)-2) {
		*ret = WEOF;
		return 1;
	}
	*ret = (wint_t)wc;
	return len;
}

/* Returns the width in columns; 0: not printable. */
static size_t width_of(wint_t wc)
{
	int width = wc != WEOF && iswprint(wc) ? wcwidth((wchar_t)wc) : 0;

	return width > 0 ? (size_t)width : 0;
}

size_t terminal_text(FILE *out, const char *text)
{
	size_t columns = 0;

	while (*text != '\0') {
		wint_t wc;
		size_t len = decode(text, &wc);
		size_t width = width_of(wc);

		if (out && width > 0)
			fwrite(text, 1, len, out);
		else if (out)
			putc('?', out);
		columns += width > 0 ? width : 1;
		text += len;
	}
	return columns;
}

/* Switches this thread to UTF-8.  Pass the result to uselocale() to switch back. */
static locale_t read_as_utf8(void)
{
	return terminal.utf8 ? uselocale(terminal.utf8) : (locale_t)0;
}

static void put_value(const char *text)
{
	while (*text != '\0') {
		wint_t wc;
		size_t len = decode(text, &wc);

		if (wc != WEOF && !iswcntrl(wc))
			fwrite(text, 1, len, stdout);
		else
			putchar('?');
		text += len;
	}
}

void terminal_value(const char *text)
{
	locale_t before;

	if (terminal.stdout_is_terminal) {
		terminal_text(stdout, text);
		return;
	}
	before = read_as_utf8();
	put_value(text);
	uselocale(before);
}

static void put_escape(wint_t wc)
{
	uint32_t code = wc == WEOF ? 0xfffd : (uint32_t)wc;

	if (code > 0xffff)
		printf("\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
		       0xdc00 + (code & 0x3ff));
	else
		printf("\\u%04x", code);
}

void terminal_json(const char *text)
{
	locale_t before;

	if (!terminal.stdout_is_terminal) {
		fputs(text, stdout);
		return;
	}
	before = read_as_utf8();
	while (*text != '\0') {
		wint_t wc;
		size_t len = decode(text, &wc);

		if (width_of(wc) > 0 && (wc < 0x80 || terminal.speaks_utf8))
			fwrite(text, 1, len, stdout);
		else
			put_escape(wc);
		text += len;
	}
	uselocale(before);
}

void terminal_colour(FILE *out, enum colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "\033[0m",    [COLOUR_BOLD] = "\033[1m",
		[COLOUR_RED] = "\033[31m",    [COLOUR_GREEN] = "\033[32m",
		[COLOUR_YELLOW] = "\033[33m",
	};

	if (out == stdout ? terminal.stdout_colours : terminal.stderr_colours)
		fputs(sequences[colour], out);
}
