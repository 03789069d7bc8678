/**
 * @file g711.c  The G.711 kernels, tried without a test library
 *
 *	g711 KERNEL...          compare each with the standard
 *	g711 --decode PCMU      the samples of codes 0 ... 255, to stdout
 *	g711 --encode PCMU      the codes of samples -32768 ... 32767, to stdout
 *
 * `make test-neon` builds it for AArch64 and runs it under qemu; a script
 * compares the dumps with sox.
 */
#include "tests/unit/codecs/g711_equal.h"

static const struct codec *find(const char *name)
{
	for (int i = 0; i < G711_STANDARDS; i++)
		if (strcmp(g711_standards[i].codec->name, name) == 0)
			return g711_standards[i].codec;
	return NULL;
}

static int dump(const char *what, const char *name)
{
	static int16_t pcm[65536];
	static uint8_t codes[65536];
	const struct codec *codec = find(name);
	const int encode = strcmp(what, "--encode") == 0;
	const size_t n = encode ? 65536 : 256;

	if (!codec || codecs_init(NULL) < 0)
		return 2;
	for (size_t i = 0; i < n; i++) {
		codes[i] = (uint8_t)i;
		pcm[i] = (int16_t)((int)i - 32768);
	}
	if (encode)
		codec->encode(codes, pcm, n);
	else
		codec->decode(pcm, codes, n);
	return (encode ? fwrite(codes, 1, n, stdout)
		       : fwrite(pcm, 2, n, stdout)) == n ? 0 : 1;
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 3 && strncmp(argv[1], "--", 2) == 0)
		return dump(argv[1], argv[2]);
	if (argc < 2)
		return 2;
	for (int i = 1; i < argc; i++) {
		const int err = codecs_init(argv[i]);
		const char *why = err < 0 ? strerror(-err) : g711_equal();

		printf("%s g711 %s%s%s\n", why ? "FAIL" : "PASS", argv[i],
		       why ? ": " : "", why ? why : "");
		failed |= why != NULL;
	}
	return failed;
}
