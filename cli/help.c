/* SPDX-License-Identifier: MIT */
/* `etcd-registry help` and `version`. */
#include "help.h"

#include <string.h>

#include "options.h"
#include "output.h"

static void print_commands(FILE *out)
{
	fputs("usage: etcd-registry COMMAND [OPTION]... [ARGUMENT]...\n\n", out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "  %-9s %s\n", command->name, command->help);
	fputs("\nSee 'etcd-registry help COMMAND' for one command, 'man etcd-registry' for all.\n",
	      out);
}

void help_print(const struct command *command, FILE *out)
{
	if (!command) {
		print_commands(out);
		return;
	}
	options_usage(command, out);
	fprintf(out, "%s\n\n", command->help);
	if (command->details)
		fprintf(out, "%s\n\n", command->details);
	options_describe(command, out);
}

/* Writes a cell of a Markdown table.  A bar in the text would end the cell. */
static void print_cell(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void print_code(const char *text)
{
	putchar('`');
	print_cell(text);
	putchar('`');
}

static void print_default(const struct config_row *row)
{
	if (*row->default_text != '\0')
		print_code(row->default_text);
	if (row->type == CONFIG_SECONDS)
		printf(", %ju-%ju s", (uintmax_t)row->min, (uintmax_t)row->max);
	else if (row->type == CONFIG_MS)
		printf(", %ju-%ju ms", (uintmax_t)row->min, (uintmax_t)row->max);
}

static void print_row(const struct config_row *row)
{
	char name[OPTION_NAME_MAX];

	fputs("| ", stdout);
	print_code(row->env);
	if (row->fallback)
		printf(", else `%s`", row->fallback);
	fputs(" | ", stdout);
	if (options_setting_name(row, name))
		printf("`--%s`", name);
	fputs(" | ", stdout);
	if (row->option)
		printf("`%s=`", row->option);
	fputs(" | ", stdout);
	print_default(row);
	fputs(" | ", stdout);
	print_cell(row->help);
	puts(" |");
}

/* README.md has a copy of this table, which a test compares. */
static void print_settings(void)
{
	puts("| variable | option | in the connection string | default, range | meaning |");
	puts("|---|---|---|---|---|");
	for (enum config_id id = 0; id < CONFIG_COUNT; id++)
		print_row(&config_rows[id]);
}

int help_command(struct options *opts)
{
	const char *topic = opts->operands[0];
	const struct command *command = topic ? command_find(topic) : NULL;

	if (topic && strcmp(topic, "settings") == 0) {
		print_settings();
		return STATUS_OK;
	}
	if (topic && !command) {
		output_failure(STATUS_USAGE, "help: unknown command '%s'", topic);
		help_print(NULL, stderr);
		return STATUS_USAGE;
	}
	help_print(command, stdout);
	return STATUS_OK;
}

int version_command(struct options *opts)
{
	(void)opts;
	printf("etcd-registry %s\n", etcdreg_version());
	return STATUS_OK;
}
