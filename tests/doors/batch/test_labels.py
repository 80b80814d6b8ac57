"""What the Batch wire tells below of what lies above: nothing, in names, numbers, lists, errors and lines."""

from __future__ import annotations

import json

from tests.doors.batch.hand import Hand, signed
from tests.doors.wired import OPEN, SECRET, Got, Wired

SUBMIT = {"jobName": "one", "jobQueue": "default", "jobDefinition": "train"}


def body(got: Got, id: str) -> dict[str, object]:
    """What was told, without the number of its entry and the id that was asked for."""
    told: dict[str, object] = json.loads(got.body.replace(id.encode(), b"ID"))
    told.pop("entry", None)
    return told


def test_numbers_of_revisions_count_what_is_visible(region: Wired, low: Hand) -> None:
    """Three above leave the first below the first; above, a name is the highest that is seen."""
    high = Hand(region, SECRET)
    for number in (1, 2, 3):
        assert high.defined().endswith(f"train:{number}")
    assert low.defined().endswith("train:1")
    assert low("DescribeJobDefinitions")["jobDefinitions"][0]["revision"] == 1
    assert high.defined().endswith("train:4")
    assert low.defined().endswith("train:2")


def test_a_hidden_job_is_one_that_never_was(region: Wired, low: Hand) -> None:
    """Described, listed, ended, followed, waited for: the same bytes."""
    high = Hand(region, SECRET)
    high.defined()
    low.defined()
    id, never = high.submitted(), "job_00000000000000000000000000"
    assert low("DescribeJobs", jobs=[id, never])["jobs"] == []
    assert low("ListJobs", jobQueue="default", jobStatus="SUBMITTED")["jobSummaryList"] == []
    for operation, said in (
        ("CancelJob", {"reason": "r"}),
        ("TerminateJob", {"reason": "r"}),
    ):
        told = [body(low.ask(operation, {"jobId": one, **said}), one) for one in (id, never)]
        assert told[0] == told[1]
    told = [body(low.ask("SubmitJob", {**SUBMIT, "dependsOn": [{"jobId": one}]}), one) for one in (id, never)]
    assert told[0] == told[1]
    told = [body(low.ask("ListJobs", {"arrayJobId": one}), one) for one in (id, never)]
    assert told[0] == told[1]
    told = [body(low.log(f"{one}/out"), one) for one in (id, never)]
    assert told[0] == told[1]
    assert high.job(id)["status"] == "SUBMITTED"


def test_a_hidden_queue_is_one_that_never_was(region: Wired, low: Hand) -> None:
    """And its name is free below."""
    high = Hand(region, SECRET)
    high("CreateJobQueue", jobQueueName="night", priority=9)
    assert low("DescribeJobQueues", jobQueues=["night"])["jobQueues"] == []
    assert low.fails("UpdateJobQueue", jobQueue="night") == low.fails("UpdateJobQueue", jobQueue="never")
    low("CreateJobQueue", jobQueueName="night", priority=1)
    assert [one["priority"] for one in high("DescribeJobQueues", jobQueues=["night"])["jobQueues"]] == [9]
    assert [one["priority"] for one in low("DescribeJobQueues", jobQueues=["night"])["jobQueues"]] == [1]


def test_the_label_of_a_write(region: Wired, low: Hand) -> None:
    """By header, or by the tag of what is made; two labels are one too many, and lower is refused by its rule."""
    wide = Hand(region, OPEN, SECRET)
    wide.defined(at=OPEN)
    wide.defined("above", tags={"casemate:label": SECRET})
    assert wide("DescribeJobDefinitions", at=OPEN, jobDefinitionName="above")["jobDefinitions"] == []
    said = {**SUBMIT, "tags": {"casemate:label": SECRET}}
    id = str(wide("SubmitJob", **said)["jobId"])
    assert wide.job(id)["tags"]["casemate:label"] == region.label(SECRET).text
    assert low("DescribeJobs", jobs=[id])["jobs"] == []
    assert wide.fails("SubmitJob", at=OPEN, **said) == ("ClientException", 400)
    lower = {**SUBMIT, "jobDefinition": "low"}
    wide.defined("low", at=OPEN)
    high = Hand(region, SECRET)
    high.defined("high", tags={})
    assert wide("SubmitJob", at=SECRET, **{**lower, "jobDefinition": "low"})["jobId"]
    assert high.fails("SubmitJob", **{**SUBMIT, "jobDefinition": "high", "tags": {"casemate:label": OPEN}})[1] == 403


def test_a_definition_says_its_label(region: Wired) -> None:
    """A job of it that would lie lower or elsewhere is refused, with the rule."""
    wide = Hand(region, OPEN, SECRET)
    wide.defined("fixed", tags={"casemate:label": OPEN})
    told = wide.ask("SubmitJob", {**SUBMIT, "jobDefinition": "fixed"}, SECRET)
    assert told.status == 403
    assert told.json["rule"] == "job-label"
    assert wide.ask("SubmitJob", {**SUBMIT, "jobDefinition": "fixed"}).status == 200


def test_a_job_is_told_where_it_is_seen(region: Wired, low: Hand) -> None:
    """From above one sees it; one does not end it from there."""
    low.defined()
    id = low.submitted()
    high = Hand(region, SECRET)
    assert high.job(id)["jobId"] == id
    assert high.fails("CancelJob", jobId=id, reason="r") == ("AccessDeniedException", 403)


def test_what_is_seen_from_above_is_not_changed_from_there(region: Wired, low: Hand) -> None:
    """A queue and a definition lie where they were made."""
    low("CreateJobQueue", jobQueueName="night", priority=1)
    arn = low.defined()
    high = Hand(region, SECRET)
    assert high.fails("UpdateJobQueue", jobQueue="night", priority=9) == ("ClientException", 400)
    assert high.fails("DeleteJobQueue", jobQueue="night") == ("ClientException", 400)
    assert high.fails("DeregisterJobDefinition", jobDefinition=arn) == ("ClientException", 400)
    assert high.fails("TagResource", resourceArn=arn, tags={"a": "b"}) == ("ClientException", 400)
    assert low("DescribeJobQueues", jobQueues=["night"])["jobQueues"][0]["priority"] == 1


def test_what_decides_is_signed(region: Wired, low: Hand) -> None:
    """A header of ours that was not signed, another service, no credential."""
    raw = json.dumps({"jobs": []}).encode()
    path = "/v1/describejobs"
    wide = Hand(region, OPEN, SECRET)
    good = signed(region, wide.key, "POST", path, raw)
    assert region.send("POST", path, raw, good.items()).status == 200
    loose = {**good, "casemate-acting-label": SECRET}
    other = signed(region, low.key, "POST", path, raw, name="s4")
    for headers in (loose, other, {}):
        got = region.send("POST", path, raw, headers.items())
        assert got.status == 403
        assert got.headers["x-amzn-errortype"] == "AccessDeniedException"
    _, secret = region.key()
    assert region.send("POST", path, raw, [("authorization", f"Bearer {secret}")]).status == 200
