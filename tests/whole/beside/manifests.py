#!/usr/bin/env python3
"""Whether compose.yaml and kubernetes.yaml have the parts that they need, and fit the program.

  manifests.py FOLDER CONFIG VERSION

CONFIG holds what the command `config` prints. Prints "ok" or "bad", a tab and what, a line each;
leaves the variables that each sets in FOLDER, as environment.compose and environment.kubernetes.
"""
import json
import re
import sys

import yaml

folder, config_lines, version = sys.argv[1], open(sys.argv[2]).read(), sys.argv[3]


def default(key):
    return re.search(r"^%s = (\d+)" % re.escape(key), config_lines, re.M).group(1)


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


def say(what, good):
    print("ok" if good else "bad", what, sep="\t")


def write_environment(name, pairs):
    with open(f"{folder}/environment.{name}", "w") as out:
        for key, value in pairs:
            say(f"{name}: {key} is text", isinstance(value, str))
            out.write(f"{key}={value}\n")


def compose():
    doc = yaml.safe_load(open("config/compose.yaml"))
    ours, caddy = doc["services"]["redirectd"], doc["services"]["caddy"]
    docker = open("Dockerfile").read()
    binary = json.loads(re.search(r"^ENTRYPOINT (.*)", docker, re.M).group(1))
    write_environment("compose", ours["environment"].items())
    for name, service in doc["services"].items():
        say(f"compose: {name} has a read-only root", service["read_only"] is True)
        say(f"compose: {name} drops all capabilities", service["cap_drop"] == ["ALL"])
        say(f"compose: {name} gains no privileges", service["security_opt"] == ["no-new-privileges:true"])
        say(f"compose: {name} has limits", service["mem_limit"] and service["pids_limit"])
        say(f"compose: {name} is in networks that are there", set(service["networks"]) <= set(doc["networks"]))
        say(f"compose: {name} is restarted", service["restart"] == "unless-stopped")
    say("compose: the image is this version's", ours["image"] == f"recall-redirectd:{version}")
    say("compose: the health check is the binary's", ours["healthcheck"]["test"] == ["CMD", *binary, "healthcheck"])
    say("compose: as in the Dockerfile", json.dumps(ours["healthcheck"]["test"][1:]) in docker)
    say("compose: nobody but Caddy reaches us", "ports" not in ours and ours["networks"] == ["back"]
        and doc["networks"]["back"]["internal"] is True)
    say("compose: Caddy is published", {"80:80", "443:443"} <= set(caddy["ports"]))
    say("compose: time to stop", seconds(ours["stop_grace_period"]) > int(default("shutdown.timeout_seconds")))
    say("compose: Caddy starts after us", caddy["depends_on"]["redirectd"]["condition"] == "service_healthy")
    caddyfile = open("config/caddy/Caddyfile").read()
    say("compose: Caddy proxies to us", f"reverse_proxy redirectd:{default('listen.port')} " in caddyfile)
    say("compose: Caddy has the public name",
        "\n" + ours["environment"]["REDIRECTD_PUBLIC_URL"].removeprefix("https://") + " {\n" in caddyfile)
    mounts = [volume.split(":")[0] for volume in caddy["volumes"]]
    say("compose: every volume is there", {m for m in mounts if m[0] != "."} == set(doc["volumes"])
        and [m for m in mounts if m[0] == "."] == ["./caddy"])


def kubernetes():
    docs = {doc["kind"]: doc for way in ("", "-gateway", "-ingress")
            for doc in yaml.safe_load_all(open(f"config/kubernetes{way}.yaml"))}
    say("kubernetes: all that is promised", set(docs) ==
        {"Deployment", "PodDisruptionBudget", "Service", "HTTPRoute", "Ingress", "NetworkPolicy"})
    versions = {kind: doc["apiVersion"] for kind, doc in docs.items()}
    say("kubernetes: current API versions", versions == {"Deployment": "apps/v1",
        "PodDisruptionBudget": "policy/v1", "Service": "v1", "Ingress": "networking.k8s.io/v1",
        "HTTPRoute": "gateway.networking.k8s.io/v1",
        "NetworkPolicy": "networking.k8s.io/v1"})
    spec = docs["Deployment"]["spec"]
    pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
    (ours,) = pod["containers"]
    environment = {pair["name"]: pair["value"] for pair in ours["env"]}
    write_environment("kubernetes", environment.items())
    say("kubernetes: no variable twice", len(environment) == len(ours["env"]))
    say("kubernetes: two replicas, one of which may go", spec["replicas"] == 2
        and docs["PodDisruptionBudget"]["spec"]["minAvailable"] == 1)
    say("kubernetes: every selector selects our pods", all(selected == labels for selected in [
        spec["selector"]["matchLabels"], docs["Service"]["spec"]["selector"],
        docs["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        docs["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]]))
    ports = {port["name"]: str(port["containerPort"]) for port in ours["ports"]}
    say("kubernetes: the ports are the program's",
        ports == {"http": default("listen.port"), "admin": default("admin.port")})
    say("kubernetes: readiness", ours["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"})
    say("kubernetes: liveness", ours["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "admin"})
    say("kubernetes: the Service has the public port alone",
        [port["targetPort"] for port in docs["Service"]["spec"]["ports"]] == ["http"])
    rule = docs["Ingress"]["spec"]["rules"][0]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    say("kubernetes: the Ingress leads to the Service", backend == {
        "name": docs["Service"]["metadata"]["name"],
        "port": {"name": docs["Service"]["spec"]["ports"][0]["name"]}})
    say("kubernetes: under the public name", "https://" + rule["host"] == environment["REDIRECTD_PUBLIC_URL"]
        and docs["Ingress"]["spec"]["tls"][0]["hosts"] == [rule["host"]])
    say("kubernetes: the Ingress is for every controller", "annotations" not in docs["Ingress"]["metadata"])
    route = docs["HTTPRoute"]["spec"]
    say("kubernetes: the HTTPRoute leads to the Service, under the public name", route["hostnames"] == [rule["host"]]
        and route["rules"][0]["backendRefs"] == [
            {"name": docs["Service"]["metadata"]["name"], "port": docs["Service"]["spec"]["ports"][0]["port"]}])
    policy = docs["NetworkPolicy"]["spec"]
    say("kubernetes: no way out", policy["egress"] == [] and set(policy["policyTypes"]) == {"Ingress", "Egress"})
    say("kubernetes: each port has its own callers",
        [rule["ports"][0]["port"] for rule in policy["ingress"]] == ["http", "admin"]
        and all(rule["from"] for rule in policy["ingress"]))
    security, own = pod["securityContext"], ours["securityContext"]
    say("kubernetes: restricted", security["runAsNonRoot"] is True and security["runAsUser"] == 65532
        and security["seccompProfile"] == {"type": "RuntimeDefault"} and own == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
    say("kubernetes: the user is the image's", f"USER {security['runAsUser']}:{security['runAsGroup']}\n"
        in open("Dockerfile").read())
    say("kubernetes: no variables of services, no token", pod["enableServiceLinks"] is False
        and pod["automountServiceAccountToken"] is False)
    ending = sum(int(environment[f"REDIRECTD_SHUTDOWN_{what}_SECONDS"]) for what in ("DELAY", "TIMEOUT"))
    ready = ours["readinessProbe"]
    say("kubernetes: time to stop", pod["terminationGracePeriodSeconds"] > ending)
    say("kubernetes: the delay is longer than readiness takes to fail", ready["periodSeconds"]
        * ready["failureThreshold"] < int(environment["REDIRECTD_SHUTDOWN_DELAY_SECONDS"]))
    say("kubernetes: the image is this version's", ours["image"].endswith(f"/recall-redirectd:{version}"))


compose()
kubernetes()
