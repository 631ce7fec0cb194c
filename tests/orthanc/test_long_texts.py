"""A report with a text of 50 MB, sent over DICOM: pages get what they can show, and all of it is
kept.
"""

from __future__ import annotations

import json

import pytest

from orthanc_dose.rest.shortening import LARGEST_CONTENT, LONGEST
from orthanc_dose.samples import ct_report
from tests.support.server import OrthancServer

LENGTH = 50_000_000
# Bytes of an answer that a page can take: the content and a little of everything else.
LARGEST_ANSWER = LARGEST_CONTENT + 1_000_000
CUT = f"… ({LENGTH - LONGEST:,} more characters)"


@pytest.mark.timeout(600)
def test_a_text_of_50_mb_is_cut_for_pages_and_kept_whole(server: OrthancServer) -> None:
    # Quotation marks are what JSON makes two bytes of.
    server.send(ct_report(events=2, seed=3, comment='a"' * (LENGTH // 2)))
    server.wait_until_idle()
    [study] = server.studies()
    number = study["id"]
    pages = [
        f"/dose/api/studies/{number}",
        f"/dose/api/studies/{number}/content",
        f"/dose/api/studies/{number}/history",
        "/dose/api/studies",
        "/dose/api/objects",
        "/dose/api/status",
    ]
    for path in pages:
        answer = server.request("GET", path)
        assert answer.status_code == 200, (path, answer.text[:300])
        assert len(answer.content) < LARGEST_ANSWER, path
    assert server.ok(pages[0])["comment"].endswith(CUT)
    shown = server.ok(pages[1])
    assert shown["cut"] is True
    assert CUT in json.dumps(shown, ensure_ascii=False)
    whole = server.request("GET", f"/dose/api/studies/{number}/content?whole=yes")
    assert "attachment" in whole.headers["Content-Disposition"]
    assert whole.content.count(rb"a\"") == LENGTH // 2
