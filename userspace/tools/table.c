// SPDX-License-Identifier: MIT
/*
 * Tables, by libsmartcols.  A table never shortens a cell, whatever the width of the terminal:
 * cells have names and numbers that people copy.
 */
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

struct table {
	struct libscols_table *lines;
	unsigned int count;	/* of columns */
};

static void need(int ret)
{
	if (ret)
		die("no memory for a table: end other programs, and try again");
}

struct table *new_table(const struct column *columns, unsigned int count)
{
	struct table *table = calloc(1, sizeof(*table));
	unsigned int i;

	need(!table);
	table->count = count;
	table->lines = scols_new_table();
	need(!table->lines);
	need(scols_table_set_stream(table->lines, stdout));
	need(scols_table_set_column_separator(table->lines, "  "));
	scols_table_set_termforce(table->lines, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_colors(table->lines, want_color());
	/* titles come at once, also above the first row of a table that takes its time */
	scols_table_enable_noheadings(table->lines, 1);
	print_titles(columns, count);
	for (i = 0; i < count; i++) {
		if (!scols_table_new_column(table->lines, columns[i].heading, columns[i].width,
					    columns[i].right ? SCOLS_FL_RIGHT : 0))
			need(-1);
	}
	return table;
}

void table_row(struct table *table, enum row_color color, const char * const *cells)
{
	struct libscols_line *line = scols_table_new_line(table->lines, NULL);
	unsigned int i;

	need(!line);
	for (i = 0; i < table->count; i++)
		need(scols_line_set_data(line, i, cells[i]));
	if (color == ROW_WARNING)
		scols_line_set_color(line, "red");
}

void table_print(struct table *table)
{
	need(scols_print_table(table->lines));
	scols_table_remove_lines(table->lines);
	flush_output();
}

void free_table(struct table *table)
{
	scols_unref_table(table->lines);
	free(table);
}
