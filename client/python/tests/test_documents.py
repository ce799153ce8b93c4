"""The documents: what they show is run, and what they say of the package is what it is."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import vector_ext
from base import Case
from vector_ext import _document

ROOT = Path(__file__).resolve().parents[3]


def blocks(text):
    """The code blocks of a document as (language, code, line number)."""
    pattern = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(match[1], match[2], text.count("\n", 0, match.start()) + 2)
            for match in pattern.finditer(text)]


class Documents(Case):
    def run_blocks(self, path, found):
        """Runs blocks of SQL and Python in turn, and compares what they print with the block after."""
        names = {"__name__": "document"}
        for number, (language, code, line) in enumerate(found):
            if language not in ("sql", "python"):
                continue
            if language == "sql":
                printed = self.psql(code)
            else:
                output = io.StringIO()
                with contextlib.redirect_stdout(output):
                    exec(compile("\n" * (line - 1) + code, str(path), "exec"), names)
                printed = output.getvalue()
            follows = found[number + 1:number + 2]
            expected = follows[0][1] if follows and follows[0][0] == "" else ""
            self.assertEqual(printed, expected, f"{path.name}, line {line}")
        if "conn" in names:
            names["conn"].close()

    def psql(self, code):
        made = subprocess.run(["psql", "-X", "-q", "-At", "-F", " | ", "-v", "ON_ERROR_STOP=1"],
                              input=code, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PGTZ": "UTC"})
        self.assertEqual(made.stderr, "")
        return made.stdout

    def test_recipes(self):
        path = ROOT / "docs" / "recipes.md"
        found = blocks(path.read_text(encoding="utf-8"))
        self.assertGreater(len(found), 30)
        self.run_blocks(path, found)

    def test_quick_start_of_the_readme(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        section = text.split("\n## From Python\n")[1].split("\n## ")[0]
        code = [code for language, code, _ in blocks(section) if language == "python"]
        self.assertEqual(len(code), 1)
        made = subprocess.run([sys.executable, "-c", code[0]], capture_output=True, text=True,
                              timeout=200, cwd=ROOT / "client" / "python")
        self.assertEqual(made.stderr, "")
        lines = made.stdout.splitlines()
        self.assertRegex(lines[0], r"^10000 vectors at \d+ vectors/s$")
        self.assertEqual(lines[1], "0 0.0")
        self.assertEqual(len(lines), 7)

    def test_import_in_the_source_folder(self):
        """There the server's module vector_ext.so has the name of the package, and the link to the
        package comes before it."""
        self.assertTrue((ROOT / "vector_ext.so").exists())
        made = subprocess.run([sys.executable, "-c", "import vector_ext; print(vector_ext.__file__)"],
                              capture_output=True, text=True, timeout=60, cwd=ROOT,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "client" / "python")})
        self.assertEqual(made.stderr, "")
        self.assertEqual(Path(made.stdout.strip()).resolve(),
                         ROOT / "client" / "python" / "vector_ext" / "__init__.py")

    def test_reference_is_that_of_the_docstrings(self):
        path = ROOT / "docs" / "python.md"
        self.assertEqual(path.read_text(encoding="utf-8"), _document.reference(),
                         "docs/python.md: /usr/bin/python3 -m vector_ext._document > "
                         "docs/python.md makes it anew")

    def test_everything_public_is_documented(self):
        text = _document.reference()
        for name in [*vector_ext.__all__, *vector_ext.agent_memory.__all__]:
            self.assertIn(f"`{name}", text)
