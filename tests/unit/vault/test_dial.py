"""Which addresses may be dialled, form by form."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from autocapture.connect.dial import dial_allowed

CLOSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 127.255.255.255
168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.170
192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1
198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::127.0.0.1 ::a00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:100.64.0.1 ::ffff:168.63.129.16 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::8.8.8.8
64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 2001:20::1 2001:2::1 2001:db8::1
2002:7f00:1:: 2002:a00:1:: 2002:808:808::1 2620:4f:8000::1 3fff::1 3fff:fff::1 5f00::1 fc00::1 fd00:ec2::254
fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 4000::1 e000::1 2606:4700::1111%lo
""".split()

NOT_ADDRESSES = """
localhost 127.1 2130706433 0x7f000001 0177.0.0.1 127.0.0.1:80 [::1] 1.2.3 1.2.3.4.5 256.1.1.1 ::g 8.8.8.8/32
""".split()

OPEN = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 168.63.129.15
168.63.129.17 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1
198.17.255.255 198.20.0.1 203.0.112.1 223.255.255.255 ::ffff:8.8.8.8 2001:200::1 2001:4860:4860::8888
2606:4700:4700::1111 2a00:1450:4001::1 3ffe::1
""".split()


def test_enough_forms_are_tried() -> None:
    assert len(set(CLOSED)) >= 60


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_public_is_not_dialled(address: str) -> None:
    assert not dial_allowed(address)


@pytest.mark.parametrize("text", ["", " ", *NOT_ADDRESSES])
def test_what_is_no_plain_address_is_not_dialled(text: str) -> None:
    assert not dial_allowed(text)
    assert not dial_allowed(text, allow_networks=[ip_network("0.0.0.0/0"), ip_network("::/0")])


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_dialled(address: str) -> None:
    assert dial_allowed(address)


def test_the_operator_admits_networks_and_nothing_beside_them() -> None:
    networks = [ip_network("10.1.0.0/16"), ip_network("fd12::/16")]
    assert dial_allowed("10.1.2.3", allow_networks=networks)
    assert dial_allowed("::ffff:10.1.2.3", allow_networks=networks)
    assert dial_allowed("fd12::9", allow_networks=networks)
    assert not dial_allowed("10.2.0.1", allow_networks=networks)
    assert not dial_allowed("127.0.0.1", allow_networks=networks)
    assert not dial_allowed("fd13::9", allow_networks=networks)
