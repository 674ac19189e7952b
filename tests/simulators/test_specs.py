"""Does a text stand for the simulator one means, and does every mistake get one sentence?"""

from __future__ import annotations

from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.models import ServedModel
from repro.simulators import Exhaustive, Mixture, ReferenceUsers, RolePlay, UserLM, load_simulator, registry
from repro.types import Turn

TERSE = """
from repro import Turn

class Terse:
    name = "terse"

    def __init__(self, words="help"):
        self.words = words

    def reply(self, tasks, dialogues, *, seed):
        return [Turn("user", self.words) for _ in tasks]

class Mute:
    name = "mute"

class Nameless:
    def reply(self, tasks, dialogues, *, seed):
        return []

class Spaced(Terse):
    name = "two words"

class Taken(Terse):
    name = "userlm"

class Fixed(Terse):
    name = property(lambda self: "fixed")

class Broken(Terse):
    def __init__(self):
        raise RuntimeError("no licence\\nfor this")

ready = Terse("made before")
"""


@pytest.fixture
def terse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_users.py").write_text(TERSE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(spec: str) -> str:
    return load_simulator(spec).reply([None], [[]], seed=0)[0].text  # type: ignore[list-item]


def test_a_class_or_an_object_in_a_file(terse):
    assert words("my_users.py:Terse") == "help"
    assert words("my_users.py:ready") == "made before"
    assert words(f"{terse}/my_users.py:Terse") == "help"


def test_a_class_in_a_module(terse, monkeypatch):
    monkeypatch.syspath_prepend(str(terse))
    assert words("my_users:Terse") == "help"


def test_a_yaml_file_gives_a_name_and_arguments(terse):
    (terse / "curt.yaml").write_text("name: curt\nsimulator: my_users.py:Terse\nargs: {words: now}\n")
    assert load_simulator("curt.yaml").name == "curt"
    assert words("curt.yaml") == "now"
    (terse / "curt.yaml").write_text("simulator: my_users.py:Terse\nargs: {word: now}\n")
    with pytest.raises(ReproError, match=r"cannot be made with {'word': 'now'} \(TypeError"):
        load_simulator("curt.yaml")
    (terse / "few.yaml").write_text("name: once\nsimulator: roleplay:tiny\nargs: {n_tries: 1}\n")
    user = load_simulator("few.yaml")
    assert isinstance(user, RolePlay)
    assert (user.name, user.n_tries, user.model.name) == ("once", 1, "tiny")


def test_a_mixture_on_one_line_and_in_a_file(terse):
    user = load_simulator("mixture:oracle=0.7,exhaustive=0.3")
    assert isinstance(user, Mixture)
    assert [(type(part), weight) for part, weight in user.parts] == [(ReferenceUsers, 0.7), (Exhaustive, 0.3)]
    (terse / "both.yaml").write_text("mixture:\n  oracle: 1\n  my_users.py:Terse: 3\n")
    user = load_simulator("both.yaml")
    assert isinstance(user, Mixture)
    assert (user.name, [(part.name, weight) for part, weight in user.parts]) == ("both", [("oracle", 1), ("terse", 3)])


@pytest.mark.parametrize(("name", "helped"), [("roleplay", True), ("roleplay_raw", False), ("roleplay_persona", True)])
def test_role_play_on_another_model(name, helped):
    user = load_simulator(f"{name}:tiny")
    assert isinstance(user, RolePlay)
    assert (user.name, user.helped, user.model.name) == (name, helped, "tiny")


def test_a_user_language_model_in_a_folder(tmp_path):
    from repro.models.tiny import tiny_model

    model, tokenizer = tiny_model(dtype="float32")
    model.save_pretrained(tmp_path / "my_lm")
    tokenizer.save_pretrained(tmp_path / "my_lm")
    user = load_simulator(str(tmp_path / "my_lm"), dtype="float32")
    assert isinstance(user, UserLM)
    assert user.name == "my_lm"


@pytest.mark.parametrize("name", ["my lm", "userlm", "roleplay_depth10", "initial"])
def test_a_folder_whose_name_is_none_or_one_of_ours_is_told_so_and_takes_another(terse, name):
    from repro.models.tiny import tiny_model

    model, tokenizer = tiny_model(dtype="float32")
    model.save_pretrained(terse / "models" / name)
    tokenizer.save_pretrained(terse / "models" / name)
    why = "letters, digits" if " " in name else "one of ours; give it another"
    with pytest.raises(
        ReproError, match=rf"'models/{name}' has the name '{name}'.*{why}.*: rename the folder, or write"
    ):
        load_simulator(f"models/{name}")
    (terse / "mine.yaml").write_text(f"name: mine\nsimulator: models/{name}\n")
    assert load_simulator("mine.yaml").name == "mine"
    assert load_simulator(f"mixture:models/{name}=1,oracle=1").name == "mixture"


@pytest.mark.parametrize(
    "spec", ["openai:http://127.0.0.1:9/v1#some/model", "roleplay:openai:http://127.0.0.1:9/v1#some/model"]
)
def test_an_endpoint_is_asked_to_play_the_user_without_words_put_in_its_mouth(spec):
    user = load_simulator(spec)
    assert isinstance(user, RolePlay)
    assert not user.helped
    assert isinstance(user.model, ServedModel)
    assert (user.model.base_url, user.model.model) == ("http://127.0.0.1:9/v1", "some/model")


def test_a_user_model_behind_a_server_is_called_what_it_is_served_as():
    assert load_simulator("vllm:http://127.0.0.1:9/v1#userlm", base="tiny").name == "userlm"


def test_role_play_at_an_endpoint_keeps_its_ways():
    user = load_simulator("roleplay_all:openai:http://127.0.0.1:9/v1#m")
    assert isinstance(user, RolePlay)
    assert (user.name, user.helped, user.persona, user.style, user.n_examples) == ("roleplay_all", False, True, True, 6)


class Point:
    def __init__(self, thing, name="theirs") -> None:
        self.thing, self.name, self.value = thing, name, "their_package:Users"

    def load(self):
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


class Theirs(ReferenceUsers):
    name = "theirs"


def test_an_installed_package_brings_its_own(monkeypatch):
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point(Theirs)])
    assert isinstance(load_simulator("theirs"), Theirs)
    assert "theirs" in registry.names()
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point(ImportError("no numpy"))])
    with pytest.raises(ReproError, match=r"^theirs cannot be imported \(ImportError: no numpy\)"):
        load_simulator("theirs")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point(ReferenceUsers, name="oracle")])
    with pytest.raises(ReproError, match="their_package:Users registers the simulator 'oracle', a name of ours"):
        registry.names()


def test_a_package_on_the_path_is_found_by_its_metadata(tmp_path, monkeypatch):
    info = tmp_path / "their_users-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-users\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[repro.simulators]\nshy = their_users:Shy\n")
    (tmp_path / "their_users.py").write_text(
        "class Shy:\n    name = 'shy'\n\n    def reply(self, tasks, dialogues, *, seed):\n        return []\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load_simulator("shy").name == "shy"
    assert "shy" in registry.names()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nobody", "no simulator 'nobody'; have exhaustive, oracle, replay, roleplay"),
        ("no_file.py:Terse", "no file no_file.py"),
        ("no_such_module:Terse", "no module no_such_module"),
        ("my_users.py:Tense", "no 'Tense' in my_users.py; classes with a reply method there: Broken, Fixed, Nameless"),
        ("my_users.py:Mute", "'my_users.py:Mute' has no method reply"),
        ("my_users.py:Nameless", "has the name None"),
        ("my_users.py:Spaced", "has the name 'two words'"),
        ("my_users.py:Taken", "has the name 'userlm', which is one of ours; give it another"),
        ("fixed.yaml", r"'my_users.py:Fixed' cannot be called 'mine' \(AttributeError: .*\); leave the name out"),
        ("args.yaml", r"the args in args.yaml are \[1, 2\]; they have to be lines of 'name: value'"),
        ("keys.yaml", r"the args in keys.yaml are {1: 2}; they have to be lines of 'name: value'"),
        ("name.yaml", "'name.yaml' has the name 'oracle', which is one of ours"),
        ("my_users.py:Broken", r"cannot be made with no arguments \(RuntimeError: no licence\)"),
        ("broken.py:Terse", r"broken.py cannot be imported \(SyntaxError"),
        ("mixture:oracle", "is no mixture"),
        ("mixture:oracle=much", "is no mixture"),
        ("mixture:oracle=1,oracle=1", "is no mixture"),
        ("mixture:oracle=0", "weights above 0"),
        ("mixture:nobody=1", "no simulator 'nobody'"),
        ("openai:127.0.0.1:8000#m", "is no endpoint; write openai:http://host:8000/v1#model-name"),
        ("openai:http://127.0.0.1:8000/v1", "is no endpoint"),
        ("none.yaml", "no file none.yaml"),
        ("list.yaml", "list.yaml has to hold 'simulator: SPEC'"),
        ("both.yaml", "both.yaml has to hold 'simulator: SPEC'"),
        ("weights.yaml", "the mixture in weights.yaml has to be lines of 'SPEC: weight'"),
        ("arguments.yaml", "'roleplay:tiny' takes no argument 'n_trys'; have helped, model, n_examples"),
        ("torn.yaml", "torn.yaml is not YAML"),
        ("roleplay:no/such/folder", "no model at 'no/such/folder'"),
    ],
)
def test_a_mistake_gets_one_sentence(terse, spec, words):
    files = {
        "broken.py": "class Terse(:\n",
        "list.yaml": "- 1\n",
        "both.yaml": "simulator: oracle\nmixture: {oracle: 1}\n",
        "weights.yaml": "mixture: {oracle: much}\n",
        "arguments.yaml": "simulator: roleplay:tiny\nargs: {n_trys: 3}\n",
        "torn.yaml": "simulator: [\n",
        "fixed.yaml": "name: mine\nsimulator: my_users.py:Fixed\n",
        "args.yaml": "simulator: my_users.py:Terse\nargs: [1, 2]\n",
        "keys.yaml": "simulator: my_users.py:Terse\nargs: {1: 2}\n",
        "name.yaml": "name: oracle\nsimulator: my_users.py:Terse\n",
    }
    for name, text in files.items():
        (terse / name).write_text(text)
    with pytest.raises(ReproError, match=words) as caught:
        load_simulator(spec)
    assert "\n" not in str(caught.value).strip()


def test_what_is_loaded_from_a_file_takes_part_in_a_rollout(terse):
    from repro.data.tasks import make_tasks
    from repro.models import ScriptedModel
    from repro.rollouts import rollout

    (dialogue,) = rollout(
        make_tasks(1, split="train", seed=0), user=load_simulator("my_users.py:Terse"), assistant=ScriptedModel("Yes?")
    )
    assert dialogue.user == "terse"
    assert dialogue.turns[0] == Turn("user", "help")
