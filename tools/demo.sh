#!/bin/sh
# make demo: a call of two parties, transcribed while you watch.  Everything
# runs on this machine, below build/demo, and ends by itself.
set -eu
cd "$(dirname "$0")/.."
bin=build
demo=build/demo
capture=tests/data/captures/local_baresip_twoparty_pcma_hold_dtmf.pcap
seconds=36
pids=

stop() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
	pids=
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
	echo "demo: $1" >&2
	for log in "$demo"/*.log; do
		[ -s "$log" ] && sed "s|^|  $(basename "$log"): |" "$log" >&2
	done
	exit 1
}

# Wait up to ten seconds for a command to succeed.
await() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 100 ] || return 1
		sleep 0.1
	done
}

# A certification authority and a certificate for "localhost", for two
# months: the daemon verifies the simulated service as it would a real one.
make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 60 \
		-subj "/CN=Trunkscribe demo CA" -keyout ca.key -out ca.pem \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-subj "/CN=localhost" -keyout server.key -out server.csr
	cat >server.ext <<-EOF
		subjectAltName = DNS:localhost
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = serverAuth
	EOF
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 60 \
		-extfile server.ext -out server.pem
}

umask 077
rm -rf "$demo"
mkdir -p "$demo"
(cd "$demo" && make_certificates) >"$demo/openssl.log" 2>&1 || fail "openssl made no certificates"

"$bin/asr-sim" --dialect bodhi --listen 127.0.0.1:0 --words 12 \
	--tls-cert "$demo/server.pem" --tls-key "$demo/server.key" \
	>"$demo/sim.out" 2>"$demo/sim.log" &
pids="$pids $!"
await grep -q '^listening ' "$demo/sim.out" || fail "asr-sim does not listen"
address=$(sed -n 's/^listening //p' "$demo/sim.out")

echo "demo-key" >"$demo/key"
cat >"$demo/trunkscribe.conf" <<EOF
# Written by tools/demo.sh.
events { socket = "$demo/events.sock"  group = "" }
asr "demo" {
  vendor = "bodhi"
  url = "wss://$address"
  tls-ca-file = "$demo/ca.pem"
  tls-server-name = "localhost"
  api-key-file = "$demo/key"
  model = "hi-banking-v2-8khz"
}
route { asr = "demo" }
EOF
"$bin/trunkscribed" -t -c "$demo/trunkscribe.conf" >"$demo/check.log" 2>&1 ||
	fail "the configuration is not good"

cat <<EOF

A call of $seconds seconds between two parties, out of a capture file, at real speed:
$capture

Each party's audio goes over TLS, on a websocket of its own, to a speech recognition
service that is simulated on this machine. THE WORDS ARE MADE UP by the simulator
(asr-sim); who speaks, when, and the way the words take are real. In the middle the call
is on hold.

EOF
"$bin/trunkscribed" -c "$demo/trunkscribe.conf" --replay "$capture" --speed 1 \
	--events "$demo/events.jsonl" 2>"$demo/daemon.log" &
daemon=$!
pids="$daemon $pids"
await test -S "$demo/events.sock" || fail "the daemon opened no event socket"
# it ends when the daemon closes the socket, and says so; the limit is for the worst
timeout $((3 * seconds)) "$bin/trunkscribectl" tail -s "$demo/events.sock" \
	2>"$demo/tail.log" &
tail=$!
pids="$tail $pids"
wait "$tail" || grep -q 'closed the connection' "$demo/tail.log" ||
	fail "trunkscribectl tail did not follow to the end"
status=0
wait "$daemon" || status=$?
[ "$status" = 0 ] || fail "the daemon ended with status $status"
for role in caller agent; do
	grep '"type": *"segment"' "$demo/events.jsonl" | grep '"state": *"final"' |
		grep -q "\"role\": *\"$role\"" || fail "there is no text of the $role"
done

finals=$(grep '"type": *"segment"' "$demo/events.jsonl" | grep -c '"state": *"final"')
cat <<EOF

That was the whole call: $finals pieces of text, made up by the simulator from the audio it got.
The same as programs see it, one event a line: build/demo/events.jsonl
The configuration used:                        build/demo/trunkscribe.conf
A real service in its place: README.md, "Use it".
EOF
