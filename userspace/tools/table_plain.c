// SPDX-License-Identifier: MIT
/*
 * Tables, for a build without libsmartcols (make SMARTCOLS=no): Debian has no static library of
 * it, which a static program needs.  The text is the same as that of table.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define RED "\033[31m"
#define RESET "\033[0m"

struct row {
	enum row_color color;
	char *cells[TABLE_MAX_COLUMNS];
};

struct table {
	const struct column *columns;
	unsigned int count;	/* of columns */
	struct row *rows;
	size_t num_rows;
};

static void *need(void *memory)
{
	if (!memory)
		die("no memory for a table: end other programs, and try again");
	return memory;
}

struct table *new_table(const struct column *columns, unsigned int count)
{
	struct table *table = need(calloc(1, sizeof(*table)));

	table->columns = columns;
	table->count = count;
	print_titles(columns, count);
	return table;
}

void table_row(struct table *table, enum row_color color, const char * const *cells)
{
	struct row *row;
	unsigned int i;

	table->rows = need(reallocarray(table->rows, table->num_rows + 1, sizeof(*row)));
	row = &table->rows[table->num_rows++];
	row->color = color;
	for (i = 0; i < table->count; i++)
		row->cells[i] = need(strdup(cells[i]));
}

static unsigned int width_of(const struct table *table, unsigned int column)
{
	size_t width = table->columns[column].width, i;

	for (i = 0; i < table->num_rows; i++)
		if (strlen(table->rows[i].cells[column]) > width)
			width = strlen(table->rows[i].cells[column]);
	return width;
}

static void print_cell(const struct table *table, unsigned int column, const char *text, int width)
{
	if (column)
		fputs("  ", stdout);
	if (column + 1 == table->count && !table->columns[column].right)
		fputs(text, stdout);
	else
		printf("%*s", table->columns[column].right ? width : -width, text);
}

void table_print(struct table *table)
{
	bool color = want_color();
	int widths[TABLE_MAX_COLUMNS];
	unsigned int i;
	size_t row;

	for (i = 0; i < table->count; i++)
		widths[i] = width_of(table, i);
	for (row = 0; row < table->num_rows; row++) {
		bool red = color && table->rows[row].color == ROW_WARNING;

		fputs(red ? RED : "", stdout);
		for (i = 0; i < table->count; i++) {
			print_cell(table, i, table->rows[row].cells[i], widths[i]);
			free(table->rows[row].cells[i]);
		}
		puts(red ? RESET : "");
	}
	table->num_rows = 0;
	flush_output();
}

void free_table(struct table *table)
{
	free(table->rows);
	free(table);
}
