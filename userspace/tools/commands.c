// SPDX-License-Identifier: MIT
/* The table of commands.  A new command is a row here, and a function in a file of its name. */
#include <string.h>

#include "tool.h"

#define PRINTS { OPTION_JSON, NULL }, { OPTION_COLOR, NULL }
#define OPTIONS(...) (const struct option_use[]) { __VA_ARGS__ { OPTION_NONE, NULL } }

static const char buffers_text[] = "heap of the buffers, or memfd (default: pages)";
static const char contiguous_text[] = "heap of the buffers, or memfd (default: contiguous)";

const struct command commands[] = {
	{
		.name = "list",
		.synopsis = "",
		.summary = "lists the devices",
		.text = "Lists the devices: name, device driver, number of engines and heaps,\n"
			"and the width of DMA addresses.\n",
		.options = OPTIONS(PRINTS,),
		.run = do_list,
	},
	{
		.name = "info",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "shows what a device is and what it can do",
		.text = "Shows what a device is and what it can do: its ops and engines, its\n"
			"limits, how much memory is in buffers, and its heaps.\n",
		.options = OPTIONS({ OPTION_JSON, NULL },),
		.run = do_info,
	},
	{
		.name = "formats",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "lists the image formats of each engine",
		.text = "Lists the image formats of each engine, with planes, fields, frame\n"
			"sizes and frame intervals.\n",
		.options = OPTIONS(PRINTS,),
		.run = do_formats,
	},
	{
		.name = "controls",
		.takes = TAKES_CONTROL,
		.synopsis = "DEVICE [NAME[=VALUE]]",
		.summary = "lists, prints or sets controls of a device",
		.text = "Lists the controls of the device and its input signals.  With NAME it\n"
			"prints one control, or presses it if it is a button.  With NAME=VALUE\n"
			"it sets the control. VALUE is a number or, for a menu, the name of an\n"
			"entry.\n",
		.options = OPTIONS(PRINTS,),
		.run = do_controls,
	},
	{
		.name = "events",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "prints events of a device as they happen",
		.text = "Prints events that the device raises from now on: N events, or all\n"
			"until the device is removed.\n",
		.options = OPTIONS({ OPTION_COUNT, NULL }, PRINTS,),
		.run = do_events,
	},
	{
		.name = "alloc",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "allocates a buffer and shows how the device sees it",
		.text = "Allocates a buffer, shows how the device sees it, and frees it.\n",
		.options = OPTIONS({ OPTION_HEAP, NULL }, { OPTION_SIZE, NULL },
				   { OPTION_JSON, NULL },),
		.run = do_alloc,
	},
	{
		.name = "copy",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "lets the device copy a buffer, and compares",
		.text = "Lets the device copy one buffer to another, and compares the two\n"
			"buffers.  The data is FILE, or its first BYTES bytes.  Without --from\n"
			"the tool makes up BYTES bytes.\n",
		.options = OPTIONS({ OPTION_HEAP, buffers_text },
				   { OPTION_SIZE, "bytes to copy (default: all of FILE, or 64K)" },
				   { OPTION_FROM, NULL },
				   { OPTION_TO, "file for the copy; - for standard output" },
				   { OPTION_JSON, NULL },),
		.run = do_copy,
	},
	{
		.name = "capture",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "captures frames, and prints their completions",
		.text = "Captures frames, one after the other, and prints the number, time and\n"
			"bytes of each frame, and how many frames were lost before\n"
			"it.  --geometry and --size exclude each other.\n",
		.options = OPTIONS({ OPTION_HEAP, NULL }, { OPTION_FRAMES, NULL },
				   { OPTION_SIZE, "bytes of a frame of raw data (default: 64K)" },
				   { OPTION_GEOMETRY, "capture XRGB8888 images of this size" },
				   { OPTION_TO, "file for the last frame; an image as PPM" },
				   PRINTS,),
		.run = do_capture,
	},
	{
		.name = "program",
		.takes = TAKES_DEVICE,
		.synopsis = "DEVICE",
		.summary = "lets the kernel access registers of the device",
		.text = "Lets the kernel access registers of the device.  Each line of standard\n"
			"input is one command, which sluicectl-program(1) explains:\n"
			"    write REGISTER VALUE\n"
			"    src REGISTER [PLACE [LENGTH]]  (also src-low, src-high)\n"
			"    dst REGISTER [PLACE [LENGTH]]  (also dst-low, dst-high)\n"
			"    poll REGISTER MASK VALUE MICROSECONDS\n"
			"    interrupt NUMBER\n",
		.options = OPTIONS({ OPTION_HEAP, contiguous_text },
				   { OPTION_SIZE, "size of the target (default: of FILE, or 64K)" },
				   { OPTION_FROM, "content of the source (default: BYTES zeros)" },
				   { OPTION_TO, "file for the target; - for standard output" },
				   { OPTION_THEN, NULL },
				   { OPTION_JSON, NULL },),
		.run = do_program,
	},
	{
		.name = "doctor",
		.synopsis = "",
		.summary = "says what on this machine hinders Sluice",
		.text = "Says what on this machine hinders Sluice, and what to do.  It changes nothing,\n"
			"but really tries devices, importers and mappings with small buffers.  The exit\n"
			"status is 0 if nothing hinders, 3 if there are warnings, and 4 if there are\n"
			"problems.\n",
		.options = OPTIONS(PRINTS,),
		.run = do_doctor,
	},
	{}
};

const struct command *find_command(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	die_usage("there is no command '%s': 'sluicectl --help' lists the commands", name);
}
