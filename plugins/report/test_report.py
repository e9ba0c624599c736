"""Native tests: PYTHONPATH=target/sdk python3 -m unittest"""

import unittest

from quantum_sdk import Cancelled, Failure
from quantum_sdk.testing import Host

from report import summarise_csv

SALES = "city,price,units\nOslo,0.1,1\nBergen,10,\nOslo,0.2,3\n"


def summarise(host=None, **p):
    p.setdefault("metrics", [{"metric": "count"}])
    return (host or Host()).run(summarise_csv, p)


class Summaries(unittest.TestCase):
    def test_rows_are_grouped_in_the_order_in_which_they_come(self):
        result = summarise(
            text=SALES,
            group_by=["city"],
            metrics=[{"metric": "count"}, {"metric": "sum", "column": "price", "name": "total"}],
        )
        self.assertEqual(result["columns"], ["city", "count", "total"])
        expected = [
            {"city": "Oslo", "count": 2, "total": 0.3},
            {"city": "Bergen", "count": 1, "total": 10},
        ]
        self.assertEqual((result["rows"], result["rows_read"]), (expected, 3))

    def test_each_metric_leaves_empty_cells_out(self):
        kinds = ["count", "sum", "mean", "min", "max", "median"]
        result = summarise(text=SALES, metrics=[{"metric": kind, "column": "units"} for kind in kinds])
        row = {"count": 2, "sum": 4, "mean": 2, "min": 1, "max": 3, "median": 2}
        self.assertEqual(result["rows"], [{f"{kind}_units": value for kind, value in row.items()}])

    def test_nothing_sums_up_to_one_row_of_nothing(self):
        kinds = ["count", "sum", "mean", "min", "median"]
        result = summarise(text="n\n", metrics=[{"metric": kind, "column": "n", "name": kind} for kind in kinds])
        self.assertEqual(result["rows"], [{"count": 0, "sum": 0, "mean": None, "min": None, "median": None}])
        self.assertEqual(summarise(text="n\n", group_by=["n"])["rows"], [])

    def test_rows_of_json_keep_their_types(self):
        rows = [{"ok": True, "n": 1}, {"ok": None}, {"ok": 1, "n": 2.5}, {"ok": True, "n": 3}]
        result = summarise(rows=rows, group_by=["ok"], metrics=[{"metric": "max", "column": "n"}])
        expected = [{"ok": True, "max_n": 3}, {"ok": None, "max_n": None}, {"ok": 1, "max_n": 2.5}]
        self.assertEqual([(row, type(row["ok"])) for row in result["rows"]], [(r, type(r["ok"])) for r in expected])

    def test_an_artifact_is_read_with_its_byte_order_mark(self):
        host = Host(artifacts={"sales": "\ufeff".encode() + b"a;b\r\n\"x;\r\ny\";1\r\n\r\n"})
        result = summarise(host, artifact="sales", delimiter=";", group_by=["a"])
        self.assertEqual(result["rows"], [{"a": "x;\r\ny", "count": 1}])

    def test_what_cannot_be_summarised_is_named(self):
        count, price = [{"metric": "count"}], [{"metric": "sum", "column": "price"}]
        for p, words in [
            ({"text": ""}, "invalid-csv: there is no line with the names"),
            ({"text": "a,a\n"}, 'invalid-csv: two columns are called "a"'),
            ({"text": "a\n1,2\n"}, "invalid-csv: line 2 has 2 values, and there are 1 columns"),
            ({"text": 'a\n"x'}, "invalid-csv: after line 2: unexpected end of data"),
            ({"text": "a\n", "metrics": price}, 'unknown-column: there is no column "price"; there are: a'),
            ({"rows": [], "group_by": ["a"]}, 'unknown-column: there is no column "a"; there are: none'),
            ({"text": "price\n1e\n", "metrics": price}, 'not-a-number: row 1, column "price": "1e" is not'),
            ({"rows": [{"price": True}], "metrics": price}, "not-a-number: row 1, .* true is not"),
            ({"text": "price\nNaN\n", "metrics": price}, "not-a-number"),
            ({"text": "a\n", "metrics": [{"metric": "mean"}]}, "no-column: mean needs a column"),
            ({"text": "a\n", "metrics": count * 2}, 'name-twice: .* "count"; give one a name'),
            ({"artifact": "none"}, 'artifact-missing: there is no artifact "none"'),
        ]:
            with self.subTest(words), self.assertRaisesRegex(Failure, words):
                summarise(**p)

    def test_bytes_that_are_not_utf_8_are_no_csv(self):
        with self.assertRaisesRegex(Failure, "invalid-csv: after line [01]: 'utf-8' codec"):
            summarise(Host(artifacts={"x": b"a\n\xff\n"}), artifact="x")

    def test_a_summary_stops_when_it_is_cancelled_and_bounds_its_groups(self):
        text = "a\n" + "\n".join(map(str, range(20_000)))
        with self.assertRaises(Cancelled):
            summarise(Host(cancelled=True), text=text)
        with self.assertRaisesRegex(Failure, "too-many-groups: there are more than 10000 groups"):
            summarise(text=text, group_by=["a"])


if __name__ == "__main__":
    unittest.main()
