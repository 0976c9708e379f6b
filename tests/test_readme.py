"""The code in README.md runs as it stands."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


@pytest.mark.slow
def test_the_library_section_runs(tmp_path, monkeypatch, capsys):
    section = README.read_text(encoding="utf-8").split("## As a library")[1].split("\n## ")[0]
    code = "\n".join(re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL))
    assert "model.fit(" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "toy.h5").stat().st_size > 1e6
    assert (tmp_path / "served" / "saved_model.pb").is_file()
    assert "loaded" in capsys.readouterr().out
