"""The page opens without a network, escapes what it is given and repeats its bytes."""

from __future__ import annotations

import base64
import math
import re

import polars as pl

from stresslab.report.html import Page, Picture, Table, html
from stresslab.report.labels import Label
from stresslab.report.tables import MOST_ROWS, html_table

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def page() -> Page:
    table = html_table(
        pl.DataFrame({"arm": ["<cross>", None], "loss_usd": [3.2e6, math.nan], "n": [1200, 3]}),
        {"loss_usd": Label("loss", "USD")},
    )
    return Page(
        title="Cross & isolated",
        lead="What spreads?",
        tables=[Table("headline", "Headline", table, "Means.")],
        pictures=[Picture("response", "Response", "20 replicates.", SVG, ["figures/response.pdf"])],
        absent=[("Phase diagram", "no design varies the share of cross margin")],
    )


def test_everything_is_on_the_page() -> None:
    text = html(page())
    for words in ("Cross &amp; isolated", "Figure 1.", "20 replicates.", "Phase diagram"):
        assert words in text
    assert base64.b64encode(SVG).decode() in text
    assert "href='figures/response.pdf'" in text


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = html(page())
    assert "<img" in text
    assert not re.findall(r"(?:src|href)='(?!#|data:|figures/|tables/)", text)
    assert "<script" not in text and "url(" not in text and "@import" not in text


def test_names_are_escaped() -> None:
    text = html(page())
    assert "&lt;cross&gt;" in text
    assert "<cross>" not in text


def test_numbers_read_well_and_gaps_are_dashes() -> None:
    text = html(page())
    assert "3.2 m" in text and "1,200" in text and "Loss (USD)" in text
    assert text.count("<td class='number'>–</td>") == 1
    assert "nan" not in text.lower().replace("finance", "")


def test_a_long_table_is_cut_and_says_so() -> None:
    text = html_table(pl.DataFrame({"n": range(MOST_ROWS + 7)}))
    assert text.count("<tr>") == MOST_ROWS + 1
    assert "7 more rows" in text


def test_the_same_page_is_the_same_bytes() -> None:
    assert html(page()) == html(page())
