#!/bin/sh
# Copyright: Contributors to the vcf.ray project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes this node's TLS key, and a certificate for its addresses signed by the cluster's CA.
# Runs in the Ray container, before Ray, on the head and on each worker.
set -eu

home=/home/ray
# Word splitting is wanted: the first address is the one that Ray takes.
# shellcheck disable=SC2046
set -- $(hostname -I)
address=$1

names="DNS:localhost,IP:127.0.0.1,IP:$address"
if [ -n "${RAY_VMSERVICE_IP:-}" ]; then
    names="$names,IP:$RAY_VMSERVICE_IP" # only the head has a load balancer in front
fi

cat >"$home/tls.cnf" <<END
[node]
basicConstraints = CA:FALSE
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = $names
END

umask 077
openssl genrsa -out "$home/tls.key" 2048
openssl req -new -key "$home/tls.key" -subj '/CN=*.ray.io' -out "$home/tls.csr"
openssl x509 -req -in "$home/tls.csr" -CA "$home/ca.crt" -CAkey "$home/ca.key" \
    -set_serial "0x$(openssl rand -hex 16)" -days 365 -sha256 \
    -extfile "$home/tls.cnf" -extensions node -out "$home/tls.crt"
