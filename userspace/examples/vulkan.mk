# SPDX-License-Identifier: MIT
# Objects that the pipeline example and the importer tests share: a GPU that
# computes (Vulkan) and a display (KMS).

EXAMPLES := $(dir $(lastword $(MAKEFILE_LIST)))
GPU_OBJECTS := $(O)/examples/gpu.o $(O)/examples/gpu_device.o
KMS_OBJECTS := $(O)/examples/kms.o

# The shader, as a C array of SPIR-V words.
$(O)/examples/edges.spv.h: $(EXAMPLES)edges.comp
	@mkdir -p $(@D)
	glslangValidator -s -V --target-env vulkan1.1 --vn edges_spv -o $@ $< >/dev/null

$(GPU_OBJECTS): $(O)/examples/%.o: $(EXAMPLES)%.c $(EXAMPLES)gpu.h $(EXAMPLES)gpu_device.h \
		$(O)/examples/edges.spv.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -I$(O)/examples -c -o $@ $<

$(O)/examples/kms.o: $(EXAMPLES)kms.c $(EXAMPLES)kms.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(shell pkg-config --cflags libdrm) -c -o $@ $<
