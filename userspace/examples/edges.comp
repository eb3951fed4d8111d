// SPDX-License-Identifier: MIT
#version 450
//
// The left half of a picture as it is, the right half as its edges: for each
// colour the length |gx| + |gy| of Sobel's gradient, at most 255.  Outside of
// the picture its outermost pixels go on.  Whole numbers only, so that a test
// can expect every bit.

layout(local_size_x = 64) in;

layout(std430, set = 0, binding = 0) readonly buffer Source { uint source[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Result { uint result[]; };

layout(push_constant) uniform Size {
	uint width;
	uint height;
};

// red, green and blue of the pixel at (x, y), or of the nearest that there is
ivec3 pixel(int x, int y)
{
	uint at = uint(clamp(y, 0, int(height) - 1)) * width + uint(clamp(x, 0, int(width) - 1));
	uint word = source[at];

	return ivec3(word >> 16 & 255u, word >> 8 & 255u, word & 255u);
}

void main()
{
	int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y);
	uint at = uint(y) * width + uint(x);

	if (x >= int(width) || y >= int(height))
		return;
	if (x < int(width / 2u)) {
		result[at] = source[at];
		return;
	}

	ivec3 nw = pixel(x - 1, y - 1), n = pixel(x, y - 1), ne = pixel(x + 1, y - 1);
	ivec3 w = pixel(x - 1, y), e = pixel(x + 1, y);
	ivec3 sw = pixel(x - 1, y + 1), s = pixel(x, y + 1), se = pixel(x + 1, y + 1);
	ivec3 gx = ne + 2 * e + se - nw - 2 * w - sw;
	ivec3 gy = sw + 2 * s + se - nw - 2 * n - ne;
	ivec3 edge = min(abs(gx) + abs(gy), ivec3(255));

	result[at] = uint(edge.r) << 16 | uint(edge.g) << 8 | uint(edge.b);
}
