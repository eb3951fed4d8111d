// SPDX-License-Identifier: MIT
#version 450
//
// Make two images from one: a copy of its left columns, and the edges of its right columns.  The
// edge of a colour is the length |gx| + |gy| of Sobel's gradient, at most 255.  A pixel outside the
// image is equal to the nearest pixel inside.  The caller chooses the columns, and the places of the
// results: see struct gpu_layout in gpu.h.  Only integers are used, so that a test can compare every
// bit.

layout(local_size_x = 64) in;

layout(std430, set = 0, binding = 0) readonly buffer Source { uint source[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Result { uint result[]; };

layout(push_constant) uniform Layout {
	uint width;
	uint height;
	uint copied;
	uint edges;
	uint stride;
	uint copy_at;
	uint edges_at;
};

// Lines for each invocation.  It reads each line once, and not once for each neighbour.
const int LINES = 8;

// The parts of Sobel's gradient that come from one line, around column x, for each colour.
struct Line {
	ivec3 difference;
	ivec3 sum;
};

// red, green and blue of the pixel at (x, y), or of the nearest pixel in the image
ivec3 pixel(int x, int y)
{
	uint at = uint(clamp(y, 0, int(height) - 1)) * width + uint(clamp(x, 0, int(width) - 1));
	uint word = source[at];

	return ivec3(word >> 16 & 255u, word >> 8 & 255u, word & 255u);
}

Line line(int x, int y)
{
	ivec3 west = pixel(x - 1, y), east = pixel(x + 1, y);

	return Line(east - west, west + 2 * pixel(x, y) + east);
}

void main()
{
	int x = int(gl_GlobalInvocationID.x), first = int(gl_GlobalInvocationID.y) * LINES;

	if (x >= int(width))
		return;

	Line north = line(x, first - 1), here = line(x, first);

	for (int y = first; y < min(first + LINES, int(height)); y++) {
		Line south = line(x, y + 1);
		uint at = uint(y) * stride + uint(x);

		if (x < int(copied))
			result[copy_at + at] = source[uint(y) * width + uint(x)];
		if (x >= int(edges)) {
			ivec3 gx = north.difference + 2 * here.difference + south.difference;
			ivec3 gy = south.sum - north.sum;
			ivec3 edge = min(abs(gx) + abs(gy), ivec3(255));

			result[edges_at + at] = uint(edge.r) << 16 | uint(edge.g) << 8 |
						uint(edge.b);
		}
		north = here;
		here = south;
	}
}
