"""compose.yaml and the files beside it say what the product has, and nothing else."""

import re
import stat
import subprocess
from typing import Any

import pytest

from entrypoints.settings import load_settings, unknown_variables
from tests.support.compose import OURS, Unset, composed, of_image, secrets, variables
from tests.support.process import ROOT

EXAMPLE = ROOT / "container/env.example"
OTHERS_PREFIXES = ("AWS_", "OTEL_")
"""Variables that the SDKs of others read."""
STOP_S = {"server": 60 + 10 + 5, "bridge": 10 + 8}
"""What docs/containers.md says that each needs to stop, at least."""


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return secrets()


@pytest.fixture(scope="module")
def services(made: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = composed(made)["services"]
    return found


def examples() -> dict[str, str]:
    """Return the variables of the example, with what it has in comments."""
    return variables(re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize(
    "name", ["JWT_SECRET", "VISITOR_SECRET", "SERVICE_TOKEN", "GRAFANA_PASSWORD"]
)
def test_nothing_starts_without_a_secret(made: dict[str, str], name: str) -> None:
    with pytest.raises(Unset, match=rf"{name}: run container/secrets > \.env"):
        composed({**made, name: ""})


def test_secrets_are_new_each_time_and_long_enough(made: dict[str, str]) -> None:
    assert len({*made.values(), *secrets().values()}) == 2 * len(made)
    assert {len(value) for value in made.values()} == {64}


@pytest.mark.parametrize("name", [*OURS, "table"])
def test_each_variable_of_ours_is_a_setting_that_the_program_accepts(
    services: dict[str, Any], name: str
) -> None:
    given = {**of_image(), **services[name].get("environment", {})}
    health = given.pop("HEALTH_URL")
    for python in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        del given[python]

    assert unknown_variables(given) == {}
    load_settings({**given, "STORE": "sqlite"})
    assert health == f"http://127.0.0.1:{port_of(services, name)}/health" or name == "table"


def port_of(services: dict[str, Any], name: str) -> int:
    """The port at which a service of ours listens, by the settings' defaults."""
    settings = load_settings({})
    return settings.bridge_port if name == "bridge" else settings.server_port


def test_each_variable_of_the_example_is_a_setting_or_an_sdks() -> None:
    named = examples()
    ours = {name: value for name, value in named.items() if not name.startswith(OTHERS_PREFIXES)}

    assert named.keys() - ours.keys() >= {"AWS_REGION", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    assert unknown_variables(ours) == {}
    load_settings({name: value for name, value in ours.items() if value})


def test_the_example_overrides_nothing_that_compose_sets(services: dict[str, Any]) -> None:
    assert examples().keys() & services["server"]["environment"].keys() == set()


@pytest.mark.parametrize("name", ["dynamodb", "collector"])
def test_the_example_names_the_optional_services_by_their_addresses(
    services: dict[str, Any], name: str
) -> None:
    (address,) = [value for value in examples().values() if f"//{name}:" in value]

    assert services[name]["profiles"]
    assert address in ("http://dynamodb:8000", "http://collector:4318")
    if name == "collector":
        assert "0.0.0.0:4318" in (ROOT / "container/otel-collector.yaml").read_text()


def test_services_are_named_where_they_listen(services: dict[str, Any]) -> None:
    urls = [
        re.fullmatch(r"(?:http|ws|redis)://(\w+):(\d+)(/.*)?", value)
        for name in OURS
        for value in services[name]["environment"].values()
        if "://" in value and "127.0.0.1" not in value
    ]
    listens = {"server": "3001", "bridge": "4000", "valkey": "6379"}

    assert urls
    assert None not in urls
    assert all(listens[url[1]] == url[2] for url in urls if url is not None)
    assert (ROOT / "Dockerfile").read_text().count("EXPOSE 3001 4000\n") == 1


def test_ports_are_published_on_this_machine_alone(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert published == {
        "server": ["127.0.0.1:3001:3001"],
        "bridge": ["127.0.0.1:4000:4000"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_each_file_that_is_mounted_is_there(services: dict[str, Any]) -> None:
    volumes = [each for service in services.values() for each in service.get("volumes", ())]
    mounted = [each for each in volumes if each.startswith(".")]

    assert len(mounted) == 4
    assert [each for each in mounted if not (ROOT / each.split(":")[0]).exists()] == []
    assert [each for each in mounted if not each.endswith(":ro")] == []


def test_each_volume_is_declared_and_used(made: dict[str, str], services: dict[str, Any]) -> None:
    volumes = [each for service in services.values() for each in service.get("volumes", ())]

    used = [each.split(":")[0] for each in volumes if not each.startswith(".")]
    assert sorted(used) == sorted(composed(made)["volumes"])


def test_every_container_is_bounded(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_every_image_has_a_version(services: dict[str, Any]) -> None:
    tags = {name: service["image"].partition(":")[2] for name, service in services.items()}

    assert all(re.match(r"v?\d+\.\d+", tag) for tag in tags.values()), tags


def test_the_image_is_tagged_with_the_versions_first_numbers(services: dict[str, Any]) -> None:
    found = re.search(r'^version = "(\d+\.\d+)', (ROOT / "pyproject.toml").read_text(), re.M)

    assert found is not None
    assert {services[name]["image"] for name in OURS} == {f"ai-agent-server:{found[1]}"}


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_the_time_that_its_program_needs_to_stop(
    services: dict[str, Any], name: str
) -> None:
    assert int(services[name]["stop_grace_period"].removesuffix("s")) >= STOP_S[name]


def test_descriptors_suffice_for_the_limits_of_connections(services: dict[str, Any]) -> None:
    settings = load_settings({})

    allowed = services["server"]["ulimits"]["nofile"]["soft"]
    assert allowed > settings.limit_sockets + settings.limit_connections


def test_prometheus_is_told_where_its_file_and_its_data_are(services: dict[str, Any]) -> None:
    command, volumes = services["prometheus"]["command"], services["prometheus"]["volumes"]

    assert "--config.file=/etc/prometheus/prometheus.yml" in command
    assert "--storage.tsdb.path=/prometheus" in command
    assert [each.split(":")[1] for each in volumes] == ["/etc/prometheus", "/prometheus"]


def test_the_image_was_tested_with_what_it_is_made_of() -> None:
    asked = subprocess.run([ROOT / "container/tested"], capture_output=True, text=True, check=False)

    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("name", ["image", "secrets", "tested"])
def test_the_scripts_can_be_run(name: str) -> None:
    assert (ROOT / "container" / name).stat().st_mode & stat.S_IXUSR
