/** @file main.c  The daemon's entry */
#include <stdio.h>

int main(void)
{
	fprintf(stderr, "trunkscribed: nothing to run yet\n");
	return 2;
}
