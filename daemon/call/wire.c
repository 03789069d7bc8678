/** @file wire.c  PCM to the bytes an ASR service takes */
#include "daemon/call/wire.h"

#include "codecs/codec.h"

size_t wire_encode(uint8_t *out, const int16_t *pcm, size_t n,
		   enum asr_encoding encoding)
{
	if (encoding != ASR_PCM_S16LE) {
		const struct codec *c = codec_by_name(
			encoding == ASR_MULAW ? "PCMU" : "PCMA");

		c->encode(out, pcm, n);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		const uint16_t v = (uint16_t)pcm[i];

		out[2 * i] = (uint8_t)v;
		out[2 * i + 1] = (uint8_t)(v >> 8);
	}
	return 2 * n;
}
