#!/usr/bin/env python3
"""Files that change are loaded without a signal, once they are whole.

PROGRAM names the binary, WRAPPER a tool to run it under. Only loopback is used.
"""
import json
import os
import shutil
import signal
import ssl
import time

from check_lifecycle import CALLBACK, Server, ask, folder, main, make_certificate, replace_config

OFTEN = "--reload.poll_seconds=1"
LONGER_THAN_TWO_LOOKS = 3.5


def region(server):
    return ask(server.port, CALLBACK).getheader("Location").split(".")[0].removeprefix("https://")


def count(server):
    return len(server.events("reloaded")), len(server.events("reload_refused"))


def test_a_changed_file_is_loaded_once():
    server = Server(OFTEN)
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (0, 0)
    replace_config(server, '{"recall": {"region": "eu-central-1"}}')
    assert server.wait_for_event("reloaded")["changed"] == "recall.region"
    assert region(server) == "eu-central-1"
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (1, 0)
    replace_config(server, '{"recall": {"region": "moon"}}')
    server.wait_for_event("reload_refused")
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (1, 1)
    assert "recall.region" in server.events("config_error")[-1]["message"]
    assert region(server) == "eu-central-1"
    assert server.end() == 0


def test_a_file_that_is_still_being_written_is_left_alone():
    server = Server(OFTEN)
    for length in range(8):
        with open(server.config, "w", encoding="ascii") as file:
            file.write('{"recall": {"region": "eu-central-1"}}' + " " * length)
        time.sleep(0.5)
        assert count(server) == (0, 0), length
    server.wait_for_event("reloaded")
    assert region(server) == "eu-central-1"
    assert server.end() == 0


def test_a_swapped_link_on_the_way_is_seen():
    """As a ConfigMap is swapped: config.json -> ..data/config.json, ..data -> ..2/."""
    server = Server(OFTEN)
    for version, name in (("1", "us-west-2"), ("2", "eu-central-1")):
        data = f"{server.config}..{version}"
        os.mkdir(data)
        with open(os.path.join(data, "config.json"), "w", encoding="ascii") as file:
            json.dump({"recall": {"region": name}}, file)
        os.symlink(data, server.config + "..new")
        os.replace(server.config + "..new", server.config + "..data")
        if version == "1":
            os.symlink(server.config + "..data/config.json", server.config + "..link")
            os.replace(server.config + "..link", server.config)
        server.wait_for_event("reloaded", int(version))
        assert region(server) == name
    assert server.end() == 0


def test_a_file_that_is_gone_is_refused_once():
    server = Server(OFTEN, config={"recall": {"region": "us-west-2"}})
    os.unlink(server.config)
    server.wait_for_event("reload_refused")
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (0, 1)
    assert "is gone" in server.events("config_error")[-1]["message"]
    assert region(server) == "us-west-2"
    replace_config(server, '{"recall": {"region": "eu-central-1"}}')
    server.wait_for_event("reloaded")
    assert region(server) == "eu-central-1"
    assert server.end() == 0


def test_what_a_signal_has_loaded_is_not_loaded_again():
    server = Server(OFTEN)
    replace_config(server, '{"recall": {"region": "eu-central-1"}}')
    server.signal(signal.SIGHUP)
    server.wait_for_event("reloaded")
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (1, 0)
    assert server.end() == 0


def test_zero_leaves_it_to_the_signal():
    server = Server("--reload.poll_seconds=0")
    replace_config(server, '{"recall": {"region": "eu-central-1"}}')
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (0, 0) and region(server) == "us-east-1"
    server.signal(signal.SIGHUP)
    server.wait_for_event("reloaded")
    assert region(server) == "eu-central-1"
    assert server.end() == 0


def link_to(pair, links):
    """As certbot renews: links to the files of this time."""
    for target, link in zip(pair, links):
        os.symlink(target, link + ".new")
        os.replace(link + ".new", link)


def test_a_renewed_certificate_is_shown():
    links = [os.path.join(folder, name) for name in ("live.crt", "live.key")]
    pair = [option.partition("=")[2] for option in make_certificate()]
    link_to([shutil.copy(path, path + ".first") for path in pair], links)
    server = Server(OFTEN, "--tls.certificate=" + links[0], "--tls.private_key=" + links[1])
    before = ssl.get_server_certificate(("127.0.0.1", server.port))
    os.unlink(pair[0])
    os.unlink(pair[1])
    make_certificate()
    link_to(pair, links)
    server.wait_for_event("certificate_loaded", 2)
    assert ssl.get_server_certificate(("127.0.0.1", server.port)) != before
    os.unlink(links[1])
    server.wait_for_event("certificate_refused")
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert len(server.events("certificate_refused")) == 1
    assert server.end() == 0


def test_a_reload_to_other_pem_files_is_one_reload():
    pair = [option.partition("=")[2] for option in make_certificate()]
    other = [shutil.copy(path, path + ".other") for path in pair]
    server = Server(OFTEN, config={"tls": {"certificate": pair[0], "private_key": pair[1]}})
    replace_config(server, json.dumps({"tls": {"certificate": other[0], "private_key": other[1]}}))
    server.wait_for_event("reloaded")
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (1, 0), server.events("reloaded")
    os.utime(other[0])
    server.wait_for_event("reloaded", 2)
    assert server.end() == 0


def test_a_pem_file_that_was_missing_is_loaded_when_it_comes():
    pair = [option.partition("=")[2] for option in make_certificate()]
    server = Server(OFTEN, config={"tls": {"certificate": pair[0], "private_key": pair[1]}})
    late = [path + ".late" for path in pair]
    shutil.copy(pair[0], late[0])
    replace_config(server, json.dumps({"tls": {"certificate": late[0], "private_key": late[1]}}))
    server.wait_for_event("certificate_refused")
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (0, 1)
    shutil.copy(pair[1], late[1])
    server.wait_for_event("reloaded")
    assert "tls.private_key" in server.events("reloaded")[0]["changed"]
    # Where a file makes no configuration, the certificate that is in force is looked at.
    replace_config(server, "{")
    server.wait_for_event("reload_refused", 2)
    os.utime(late[0])
    server.wait_for_event("reload_refused", 3)
    assert server.end() == 0


def test_a_pipe_is_read_once():
    """It would be another one at each look, and reading it takes what is in it."""
    descriptor, writer = os.pipe()
    os.write(writer, b'{"recall": {"region": "eu-central-1"}}')
    os.close(writer)
    server = Server(OFTEN, "-c", f"/dev/fd/{descriptor}", fds=[descriptor])
    time.sleep(LONGER_THAN_TWO_LOOKS)
    assert count(server) == (0, 0) and region(server) == "eu-central-1"
    assert server.end() == 0


main(globals())
