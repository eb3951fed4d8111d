# SPDX-License-Identifier: MIT
"""The findings of the rules in small trees, and code that they accept."""
from __future__ import annotations

from ..plan import NAME
from .made import FLOORS, SPDX, TreeTest, c

CALL = """drivers/core/job.o:0000000000000000 T sluice_job_end
drivers/core/job.o:                 U sluice_slot_get
drivers/core/slot.o:0000000000000000 T sluice_slot_get
drivers/core/slot.o:0000000000000010 T sluice_slot_put
drivers/core/fence.o:0000000000000000 T sluice_fence_end
"""


class Files(TreeTest):
    """Each file has a line in drivers/floors, a header and a head comment."""

    def test_a_tree_that_keeps_the_rules_has_no_finding(self) -> None:
        self.assert_fine(CALL)

    def test_a_file_that_is_not_declared_is_found(self) -> None:
        self.write({"drivers/core/queue.h": c("void sluice_queue_put(void);\n")})
        self.assert_finds("file", "drivers/core/queue.h:1", "drivers/floors", "add one")

    def test_a_file_that_is_declared_twice_is_found(self) -> None:
        self.append(NAME, "[sluice] drivers/core\n 3 slot: cell\n")
        self.assert_finds("plan", "drivers/floors:12", "line 3 declares drivers/core/slot")

    def test_a_noun_that_is_declared_twice_is_found(self) -> None:
        self.append(NAME, "[sluice] drivers/core\n 4 queue: queue cursor\n")
        self.assert_finds("plan", "drivers/floors:12", "'cursor'", "belongs to slot")

    def test_two_modules_may_have_the_same_noun(self) -> None:
        self.append(NAME, "[sluice-other] drivers/devices\n 1 other: slot\n")
        self.assert_fine()

    def test_a_line_that_means_nothing_is_found(self) -> None:
        self.append(NAME, "four queue: queue\n")
        self.assert_finds("plan", "drivers/floors:11", "FLOOR FILE: NOUNS")

    def test_a_file_may_be_declared_before_it_exists(self) -> None:
        self.append(NAME, "[sluice] drivers/core\n 4 queue: queue\n")
        self.assert_fine()

    def test_a_c_file_with_public_names_and_no_header_is_found(self) -> None:
        self.append(NAME, "[sluice] drivers/core\n 4 queue: queue\n")
        self.write({"drivers/core/queue.c": c("void sluice_queue_put(void)\n{\n}\n")})
        self.assert_finds("file", "drivers/core/queue.c:1", "drivers/core/queue.h", "sluice_queue_put")

    def test_a_c_file_without_public_names_needs_no_header(self) -> None:
        self.append(NAME, "[sluice] drivers/core\n 4 module: module\n")
        self.write({"drivers/core/module.c": c("static int __init sluice_module_init(void)\n{\n}\n"
                                               "module_init(sluice_module_init);\n")})
        self.assert_fine()

    def test_a_header_without_head_comment_is_found(self) -> None:
        self.write({"drivers/core/slot.h": f"{SPDX}\n"
                    "void sluice_slot_get(struct sluice_slot *slot);\n"})
        self.assert_finds("head", "drivers/core/slot.h:1", "say what it owns")

    def test_a_function_that_another_header_declares_is_found(self) -> None:
        self.append("drivers/core/slot.c", "void sluice_slot_put(void)\n{\n}\n")
        self.append("drivers/core/job.h", "void sluice_slot_put(void);\n")
        self.assert_finds("face", "drivers/core/slot.c:7", "drivers/core/slot.h")

    def test_a_function_of_the_api_needs_no_other_declaration_and_keeps_its_name(self) -> None:
        self.append("drivers/core/job.c", "void sluice_engine_done(void)\n{\n}\n")
        self.assert_fine()


class Floors(TreeTest):
    """Files use files of lower floors, or of their own without a circle."""

    def test_an_include_that_goes_up_is_found(self) -> None:
        self.append("drivers/core/slot.c", '#include "job.h"\n')
        self.assert_finds("include", "drivers/core/slot.c:7", "slot (floor 2) includes job.h (floor 3)")

    def test_an_include_that_is_a_comment_is_none(self) -> None:
        self.append("drivers/core/slot.c", '/*\n#include "job.h"\n*/\n')
        self.assert_fine()

    def test_a_circle_of_includes_is_found(self) -> None:
        self.append("drivers/core/slot.c", '#include "fence.h"\n')
        self.append("drivers/core/fence.h", '#include "slot.h"\n')
        self.assert_finds("circle", "drivers/core/fence.h:4", "fence (floor 2) includes slot.h",
                          "slot (floor 2) includes fence.h")

    def test_an_include_on_the_same_floor_without_a_circle_is_fine(self) -> None:
        self.append("drivers/core/slot.c", '#include "fence.h"\n')
        self.assert_fine()

    def test_a_call_that_goes_up_is_found_where_it_is(self) -> None:
        self.append("drivers/core/slot.c", "/* sluice_job_end() */\nstatic void sluice_slot_x(void)\n"
                    "{\n\tsluice_job_end();\n}\n")
        self.assert_finds("call", "drivers/core/slot.c:10", "slot (floor 2) uses sluice_job_end of job",
                          nm=CALL + "drivers/core/slot.o:     U sluice_job_end\n")

    def test_a_use_of_data_that_goes_up_is_found(self) -> None:
        self.assert_finds("call", "drivers/core/slot.c:1", "sluice_job_table",
                          nm=CALL + "drivers/core/job.o:0000000000000000 D sluice_job_table\n"
                          "drivers/core/slot.o:     U sluice_job_table\n")

    def test_a_circle_of_a_call_and_an_include_is_found(self) -> None:
        self.append("drivers/core/fence.h", '#include "slot.h"\n')
        self.assert_finds("circle", "drivers/core/fence.h:4", "slot (floor 2) uses sluice_fence_end",
                          nm=CALL + "drivers/core/slot.o:     U sluice_fence_end\n")

    def test_symbols_of_tracepoints_are_left_out(self) -> None:
        self.assert_fine("".join(
            f"drivers/core/job.o:0000000000000000 D {name}\ndrivers/core/slot.o:      U {name}\n"
            for name in ("__tracepoint_sluice_job_end", "__traceiter_sluice_job_end",
                         "__SCT__tp_func_sluice_job_end", "__SCK__tp_func_sluice_job_end",
                         "__probestub_sluice_job_end")))

    def test_local_symbols_are_of_no_other_file(self) -> None:
        self.assert_fine("drivers/core/job.o:0000000000000000 t sluice_x\ndrivers/core/slot.o:   U sluice_x\n")


class Names(TreeTest):
    """Names begin with a noun of their file."""

    def test_a_name_without_a_noun_is_found(self) -> None:
        self.append("drivers/core/slot.c", "static int sluice_table_find(int number)\n{\n\treturn 0;\n}\n")
        self.assert_finds("name", "drivers/core/slot.c:7", "function sluice_table_find",
                          "sluice_slot_ or sluice_cursor_")

    def test_a_name_with_the_noun_of_another_file_is_found(self) -> None:
        self.append("drivers/core/slot.h", "struct sluice_fence_list {\n\tint x;\n};\n")
        self.assert_finds("name", "drivers/core/slot.h:5", "struct sluice_fence_list has a noun of fence")

    def test_a_noun_ends_with_its_word(self) -> None:
        self.append("drivers/core/slot.h", "#define SLUICE_SLOTTED 1\n")
        self.assert_finds("name", "drivers/core/slot.h:5", "macro SLUICE_SLOTTED has no noun")

    def test_a_macro_that_no_other_file_sees_may_have_a_short_name(self) -> None:
        self.append("drivers/core/slot.c", "#define PAIR(a, b) { a, b }\n#define SLUICE_PAIR 2\n")
        self.assert_finds("name", "drivers/core/slot.c:8", "macro SLUICE_PAIR has no noun")

    def test_the_longest_noun_decides(self) -> None:
        self.write({NAME: FLOORS.replace("fence: fence", "fence: fence slot_fence")})
        self.append("drivers/core/slot.c", "static void sluice_slot_fence_end(void)\n{\n}\n")
        self.assert_finds("name", "drivers/core/slot.c:7", "has a noun of fence")

    def test_each_kind_of_name_is_found(self) -> None:
        for text in ("static int my_x;", "static struct sluice_slot *my_x[4] = { NULL, };",
                     "static DEFINE_MUTEX(my_x);", "static DEFINE_PER_CPU(struct list_head, my_x);",
                     "enum my_x { SLUICE_A, };", "union my_x {\n\tint a;\n};",
                     "struct sluice_slot {\n\tenum my_x { SLUICE_B, } state;\n};",
                     "typedef int (*my_x)(int);", "static LIST_HEAD(my_x);",
                     "static const struct file_operations my_x = {\n\t.owner = NULL,\n};",
                     "static int __must_check\nmy_x(int a) __acquires(lock)\n{\n}"):
            with self.subTest(text):
                self.write({"drivers/core/slot.c": c(f"{text}\nvoid sluice_slot_get(struct sluice_slot *slot)"
                                                     "\n{\n\tint a;\n}\n")})
                self.assertEqual([each.kind for each in self.found()], ["name"])
                self.assertIn(" my_x ", self.found()[0].text)

    def test_code_in_both_branches_of_an_if_hides_no_name(self) -> None:
        self.append("drivers/core/slot.c", "static void sluice_slot_x(int a)\n{\n#ifdef CONFIG_X\n\tif (a) {\n"
                    "#else\n\tif (!a) {\n#endif\n\t\ta++;\n\t}\n}\nstatic int my_x;\n")
        self.assert_finds("name", "drivers/core/slot.c:17", "variable my_x")

    def test_a_macro_without_semicolon_hides_no_name(self) -> None:
        self.append("drivers/core/slot.c", "SLUICE_COMPAT_TASK(sluice_slot_x, sluice_slot_y)\n\n"
                    "static int my_x(int a)\n{\n}\n")
        self.assert_finds("name", "drivers/core/slot.c:9", "function my_x")

    def test_a_definition_may_begin_with_a_macro_that_has_arguments(self) -> None:
        self.append("drivers/core/slot.h", "__printf(1, 2) void sluice_slot_say(const char *format, ...);\n")
        self.append("drivers/core/slot.c", "__printf(1, 2) void\nsluice_slot_say(const char *format, ...)\n"
                    "{\n}\n")
        self.assert_fine()

    def test_a_variable_of_each_cpu_is_declared_in_its_header(self) -> None:
        self.append("drivers/core/slot.c", "DEFINE_PER_CPU(long [2], sluice_slot_counts);\n")
        self.assert_finds("face", "drivers/core/slot.c:7", "sluice_slot_counts")
        self.append("drivers/core/slot.h", "DECLARE_PER_CPU(long [2], sluice_slot_counts);\n")
        self.assert_fine()

    def test_names_that_others_give_are_left_alone(self) -> None:
        self.append("drivers/core/slot.c", "#define pr_fmt(x) x\n#define _SLUICE_SLOT_H\n"
                    "static unsigned int limit_mb;\nmodule_param(limit_mb, uint, 0644);\n"
                    "static ssize_t table_show(void)\n{\n}\nstatic DEVICE_ATTR_RO(table);\n"
                    "MODULE_LICENSE(\"GPL\");\nEXPORT_SYMBOL_GPL(sluice_slot_get);\nstruct dma_fence;\n"
                    "int other_function(int a);\nextern int other_variable;\n")
        self.assert_fine()

    def test_names_of_the_uapi_are_left_alone(self) -> None:
        self.write({"uapi/linux/sluice.h": "struct sluice_info {\n\tint a;\n};\n#define SLUICE_NAME_LEN 32\n"})
        self.append("drivers/core/slot.h", "struct sluice_info {\n\tint a;\n};\n#define SLUICE_NAME_LEN 32\n")
        self.assert_fine()

    def test_compat_has_names_of_the_kernel_and_its_own(self) -> None:
        self.append("drivers/core/compat/mm.h", "static inline void sluice_compat_set(void)\n{\n}\n"
                    "static inline void list_lru_add_obj(void)\n{\n}\n")
        self.assert_fine()
        self.append("drivers/core/compat/mm.h", "#define SLUICE_LRU_LOCK\n")
        self.assert_finds("name", "drivers/core/compat/mm.h:12", "SLUICE_LRU_LOCK", "sluice_compat_")

    def test_a_device_driver_has_nouns_without_the_first_word(self) -> None:
        self.write({"drivers/devices/soft.c": c("static void soft_start(void)\n{\n}\n#define SOFT_DEPTH 4\n"),
                    "drivers/devices/pattern.h": c("struct pattern_image {\n\tint a;\n};\n")})
        self.assert_fine()
        self.append("drivers/devices/soft.c", "static void pattern_draw(void)\n{\n}\n")
        self.assert_finds("name", "drivers/devices/soft.c:7", "has a noun of pattern")


class Kernels(TreeTest):
    """Code for different kernels stays in compat/, and device drivers use only sluice.h."""

    def test_a_version_outside_of_compat_is_found(self) -> None:
        for text in ("#ifdef SLUICE_HAVE_MEMFD_PIN", "#if LINUX_VERSION_CODE >= 7",
                     "#if 7 > KERNEL_VERSION(6, 1, 0)"):
            with self.subTest(text):
                self.write({"drivers/core/slot.h": c("/* SLUICE_HAVE_X */\nvoid sluice_slot_get("
                                                     f"struct sluice_slot *slot);\n{text}\n#endif\n")})
                self.assert_finds("version", "drivers/core/slot.h:5", "drivers/core/compat/")

    def test_a_device_driver_may_include_sluice_h_and_its_own_headers(self) -> None:
        self.write({"drivers/devices/soft.c": c('#include <linux/pci.h>\n#include "pattern.h"\n'
                                                '#include "sluice.h"\n'),
                    "drivers/devices/pattern.h": c("struct pattern_image;\n")})
        self.assert_fine()

    def test_a_device_driver_that_includes_another_header_is_found(self) -> None:
        for name in ("slot.h", "compat/mm.h", "other.h", "selftests/kernel/irqsource.h"):
            with self.subTest(name):
                self.append(NAME, "[sluice-other] drivers/devices\n 1 other: other\n")
                self.write({NAME: f"{FLOORS}[sluice-other] drivers/devices\n 1 other: other\n",
                            "drivers/devices/other.h": c("struct other;\n"),
                            "drivers/devices/soft.c": c(f'#include "{name}"\n')})
                self.assert_finds("include", "drivers/devices/soft.c:3", name, "sluice.h")

    def test_the_core_includes_no_device_driver(self) -> None:
        self.write({"drivers/devices/pattern.h": c("struct pattern_image;\n")})
        self.append("drivers/core/job.c", '#include "../devices/pattern.h"\n')
        self.assert_finds("include", "drivers/core/job.c:8", "of a device driver")


class Command(TreeTest):
    """The output and the status of the command."""

    DESIGN = ("# Design\n<!-- selftests/vm/floors --picture -->\n<!-- end -->\nText.\n"
              "<!-- selftests/vm/floors --table -->\n<!-- end -->\nMore.\n")

    def setUp(self) -> None:
        super().setUp()
        self.write({"Documentation/design.md": self.DESIGN})
        self.run_command("--write")

    def test_a_tree_that_keeps_the_rules_is_silent(self) -> None:
        self.assertEqual(self.run_command("--source"), (0, ""))

    def test_a_finding_is_one_line_and_fails(self) -> None:
        self.append("drivers/core/slot.c", '#include "job.h"\n')
        status, printed = self.run_command("--source")
        self.assertEqual(status, 1)
        self.assertRegex(printed, r"\Adrivers/core/slot\.c:7: slot \(floor 2\) includes [^\n]+\n\Z")

    def test_the_document_has_the_picture_and_the_table_and_keeps_its_text(self) -> None:
        with open(f"{self.top}/Documentation/design.md", encoding="utf-8") as file:
            text = file.read()
        for part in ("picture", "table"):
            self.assertIn(f"--{part} -->\n{self.run_command(f'--{part}')[1]}<!-- end -->\n", text)
        self.assertIn("\nText.\n", text)
        self.assertTrue(text.endswith("\nMore.\n"))

    def test_a_document_that_is_not_of_today_is_found(self) -> None:
        self.write({"drivers/core/slot.h": c("void sluice_slot_get(struct sluice_slot *slot);\n", "Owns more.")})
        status, printed = self.run_command("--source")
        self.assertEqual((status, printed.count("\n")), (1, 1))
        self.assertRegex(printed, r"\ADocumentation/design\.md:\d+: the table .* --write")

    def test_a_document_without_markers_is_found(self) -> None:
        self.write({"Documentation/design.md": "# Design\n"})
        status, printed = self.run_command("--source")
        self.assertEqual((status, printed.count("\n")), (1, 2))

    def test_the_picture_has_the_top_floor_first_and_fits(self) -> None:
        self.append(NAME, "[sluice] drivers/core\n"
                    + "".join(f" 7 many-words-{number}:\n" for number in range(30)))
        self.write({f"drivers/core/many-words-{number}.h": c("") for number in range(30)})
        lines = self.run_command("--picture")[1].splitlines()
        self.assertEqual([lines[0], lines[1], lines[-1]], ["```text", "sluice.ko", "```"])
        self.assertEqual([line.split()[0] for line in lines[2:-1] if line[2] != " "], ["7", "3", "2", "1"])
        self.assertLessEqual(max(map(len, lines)), 100)
        self.assertFalse([line for line in lines if line.endswith("-")])
        self.assertIn("  1  sluice  compat/{mm}", lines)

    def test_the_table_has_the_first_sentence_of_each_head(self) -> None:
        self.write({"drivers/core/fence.h": c("", "The fence.c of <x> | y.  More text."),
                    "drivers/core/job.h": c("", "\n * Jobs: lists\n * of ops.\n *\n * A lock.\n")})
        printed = self.run_command("--table")[1]
        self.assertIn("\n| `fence.c` | The fence.c of \\<x> \\| y |\n", printed)
        self.assertIn("\n| `job.c` | Jobs: lists of ops |\n", printed)
        self.assertIn("\n| `mm.h` | Owns something |\n", printed)
