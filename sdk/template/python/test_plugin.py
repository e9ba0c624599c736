"""Native tests: PYTHONPATH=target/sdk python3 -m unittest"""

import unittest

from quantum_sdk import Failure
from quantum_sdk.testing import Host

from plugin import count_words


class CountWords(unittest.TestCase):
    def test_words_are_counted_and_it_is_logged(self):
        host = Host()
        counted = host.run(count_words, {"text": "to be, or not to be", "letters_min": 3})
        self.assertEqual(counted, {"words": 1, "longest": "not"})
        self.assertEqual(host.logs[0].fields, {"words": 1})

    def test_an_empty_text_is_refused(self):
        with self.assertRaisesRegex(Failure, "no-text: the text is empty"):
            Host().run(count_words, {"text": " "})


if __name__ == "__main__":
    unittest.main()
