#!/bin/sh
# A private PKI for tests, made anew each time: pki.sh DIR [all]
#
# good.pem ... are chains (leaf, then intermediate where there is one) with
# their keys in good.key ...; root.pem is what a client trusts.
set -eu
dir=$1
mkdir -p "$dir"
cd "$dir"

exec >pki.log 2>&1
trap 'test $? = 0 || tail -5 pki.log >&3' EXIT
exec 3>/dev/stderr

key() { # NAME [rsa:BITS]
	case ${2-ec} in
	rsa:*) openssl genrsa -out "$1.key" "${2#rsa:}" ;;
	*) openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" ;;
	esac
}

# authority NAME ISSUER ("": itself) [EXTENSION [OPTIONS of openssl x509 -req ...]]
authority() {
	key "$1"
	printf '%s\n' 'basicConstraints=critical,CA:TRUE' \
		'keyUsage=critical,keyCertSign,cRLSign' ${3+"$3"} >"$1.ext"
	openssl req -new -key "$1.key" -subj "/CN=test $1" -out "$1.csr"
	if [ -z "$2" ]; then
		openssl x509 -req -in "$1.csr" -signkey "$1.key" -days 30 \
			-extfile "$1.ext" -out "$1.pem"
	else
		openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" \
			-CAcreateserial -days 30 -extfile "$1.ext" ${4+"$4"} \
			-out "$1.pem"
	fi
}

# under AUTHORITY NAME: a leaf for asr.test and its chain
under() {
	leaf "$2" "$1" "$san"
	cat "$1.pem" >>"$2.pem"
}

# leaf NAME ISSUER EXTENSIONS [OPTIONS of openssl x509 -req ...]
leaf() {
	name=$1 issuer=$2 ext=$3
	shift 3
	[ -f "$name.key" ] || key "$name"
	printf '%b\n' "$ext" >"$name.ext"
	openssl req -new -key "$name.key" -subj "${subject-/CN=${cn-asr.test}}" \
		-out "$name.csr"
	openssl x509 -req -in "$name.csr" -CA "$issuer.pem" \
		-CAkey "$issuer.key" -CAcreateserial -extfile "$name.ext" \
		-days 30 "$@" -out "$name.pem"
}

# dated NAME FROM TO (as `openssl ca` takes them)
dated() {
	key "$1"
	printf '%s\n' 'subjectAltName=DNS:asr.test' >"$1.ext"
	openssl req -new -key "$1.key" -subj "/CN=asr.test" -out "$1.csr"
	printf '%s\n' '[ca]' 'default_ca=d' '[d]' 'database=ca.index' \
		'new_certs_dir=.' 'default_md=sha256' 'policy=p' \
		'rand_serial=yes' '[p]' 'commonName=supplied' >ca.cnf
	: >ca.index
	openssl ca -batch -config ca.cnf -in "$1.csr" -cert root.pem \
		-keyfile root.key -startdate "$2" -enddate "$3" \
		-extfile "$1.ext" -notext -out "$1.pem"
}

san='subjectAltName=DNS:asr.test'
authority root ''
authority stranger ''
authority middle root
printf '%s\n' 'basicConstraints=critical,CA:FALSE' >noca.ext

leaf good root "$san"
leaf wildcard root 'subjectAltName=DNS:*.asr.test'
leaf other root 'subjectAltName=DNS:other.test'
cn=asr.test leaf cn_differs root 'subjectAltName=DNS:other.test'
leaf cn_only root 'basicConstraints=CA:FALSE'
leaf untrusted stranger "$san"
leaf chained middle "$san"
cp chained.pem missing.pem
cp chained.key missing.key
cat middle.pem >>chained.pem
key selfsigned
openssl req -x509 -new -key selfsigned.key -subj /CN=asr.test -days 30 \
	-addext "$san" -out selfsigned.pem
dated expired 20200101000000Z 20200201000000Z
dated future 20400101000000Z 20400201000000Z
leaf sha1 root "$san" -sha1
key rsa1024 rsa:1024
leaf rsa1024 root "$san"
key rsa2048 rsa:2048
leaf rsa2048 root "$san"
leaf client_only root "$san\nextendedKeyUsage=clientAuth"
leaf server_only root "$san\nextendedKeyUsage=serverAuth"
# an issuer that is no CA
leaf notca root 'basicConstraints=critical,CA:FALSE'
leaf under_notca notca "$san"
cat notca.pem >>under_notca.pem
leaf ip root 'subjectAltName=IP:127.0.0.1,IP:::1'
leaf ip_and_name root 'subjectAltName=IP:127.0.0.1,DNS:asr.test'
leaf ip_as_dns root 'subjectAltName=DNS:127.0.0.1'
cn=127.0.0.1 leaf ip_in_cn root 'basicConstraints=CA:FALSE'

[ "${2-}" = all ] || exit 0

subject=/O=nobody leaf no_cn root "$san"
subject=/ leaf no_subject root "subjectAltName=critical,DNS:asr.test"
sans=
for i in $(seq 999); do sans="$sans,DNS:host$i.test"; done
leaf sans_1000 root "$san$sans"
leaf sans_100 root "$san$(echo "$sans" | cut -d, -f1-100)"
authority sha1_middle root subjectKeyIdentifier=hash -sha1
under sha1_middle under_sha1
# allowed, and not allowed, in what the authority may sign
authority nc root 'nameConstraints=permitted;DNS:asr.test'
under nc nc_kept
authority nc_other root 'nameConstraints=permitted;DNS:other.test'
under nc_other nc_violated
authority nc_critical root 'nameConstraints=critical,permitted;DNS:asr.test'
under nc_critical nc_critical_kept
authority nc_other_critical root 'nameConstraints=critical,permitted;DNS:other.test'
under nc_other_critical nc_critical_violated
key rsa4096 rsa:4096
leaf rsa4096 root "$san"
openssl ecparam -name secp384r1 -genkey -noout -out p384.key
leaf p384 root "$san"
