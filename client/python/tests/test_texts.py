"""The sentences of scripts/demo-texts, and the vectors made of them."""

import contextlib
import io
import re
import sys
from pathlib import Path

import numpy as np

from base import Case

sys.path.append(str(Path(__file__).resolve().parents[3] / "scripts"))

import demo_texts  # noqa: E402

# A question of each topic, in the order of the file, that is not a sentence of it.
QUESTIONS = (
    "My loaf is still in the oven.", "We dropped the anchor before the wind came.",
    "How many moons has that planet?", "The tomatoes want water.", "The striker missed a penalty.",
    "The orchestra tuned its strings.", "The program has a bug.", "The train is late again.",
    "A storm is coming from the west.", "The doctor looked at the wound.",
    "The bank wants more interest for the loan.", "Why does my puppy bark all night?",
    "They reached the summit over the glacier.", "She hung the portrait in the museum.",
    "The teacher gave us homework.", "The judge sent him to prison.",
    "A nest of swallows under the roof.", "A cup of espresso with milk.",
    "The actors liked the script of the movie.", "The chain of my bike squeaks.",
)


class Texts(Case):
    def test_sentences(self):
        sentences, topics = demo_texts.read_sentences()
        self.assertEqual(len(set(sentences)), 400)
        self.assertEqual({topics.count(topic) for topic in topics}, {20})

    def test_near_in_meaning(self):
        sentences, topics = demo_texts.read_sentences()
        meaning = demo_texts.Meaning(sentences, topics)
        vectors = meaning.embed(sentences)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
        near = np.argsort(-(meaning.embed(QUESTIONS) @ vectors.T), axis=1)[:, :3]
        for question, topic, rows in zip(QUESTIONS, dict.fromkeys(topics), near):
            found = [topics[row] for row in rows]
            self.assertGreaterEqual(found.count(topic), 2, question)
        self.assertEqual(np.abs(meaning.embed(["xyzzy"])).max(), 0)

    def test_same_vectors_every_time(self):
        sentences, topics = demo_texts.read_sentences()
        first, second = (demo_texts.Meaning(sentences, topics).embed(sentences) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_what_is_printed(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            demo_texts.main(["The judge's puppy barked."], self.conn)
        text = output.getvalue()
        self.assertIn("400 short sentences on 20 topics", text)
        self.assertEqual(len(re.findall(r"^    0\.\d\d  \S.*\.  \((dogs|law)\)$", text, re.MULTILINE)),
                         3)
        self.assertRegex(text.splitlines()[-1], r"^exact search .* ms, by the index .* % of the same")
        self.assertEqual(self.value("SELECT count(*) FROM texts"), 400)
