"""Every preset against a loopback peer: address, body, authentication, signature, and what a doubled call does."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_linkage import scene

from bot.config import parse
from bot.config_linkage import ActionConfig
from bot.response import actions
from bot.response.actions import Answer, reference
from bot.response.linkage import after_doubt
from bot.store.calls import Ending

REFERENCE = reference("k1")
# preset → with, params, method and path, a part of the body that must be there, answer, result, way after doubt
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, Any, Any, dict[str, str], str]] = {
    "jira-cloud-issue": (
        {"project": "PR"}, {"text": "用户无法提现"}, "POST /rest/api/3/issue",
        {"fields": {
            "project": {"key": "PR"}, "issuetype": {"name": "Task"}, "summary": "提现失败",
            "labels": ["fengbo", REFERENCE], "description": {"type": "doc", "version": 1, "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": "用户无法提现"}]}]},
        }},
        {"id": "1", "key": "PR-7", "self": "https://x"}, {"id": "PR-7", "link": "{base}/browse/PR-7"}, "look",
    ),
    "jira-server-issue": (
        {"project": "PR", "type": "Incident"}, {}, "POST /rest/api/2/issue",
        {"fields": {"project": {"key": "PR"}, "issuetype": {"name": "Incident"}, "summary": "提现失败",
                    "description": "提现失败", "labels": ["fengbo", REFERENCE]}},
        {"key": "PR-8"}, {"id": "PR-8", "link": "{base}/browse/PR-8"}, "look",
    ),
    "servicenow-incident": (
        {}, {"urgency": "1"}, "POST /api/now/table/incident",
        {"short_description": "提现失败", "description": "提现失败", "urgency": "1", "impact": "2",
         "correlation_id": REFERENCE, "correlation_display": "Fengbo"},
        {"result": {"sys_id": "abc", "number": "INC001"}},
        {"id": "INC001", "link": "{base}/nav_to.do?uri=incident.do?sys_id=abc"}, "look",
    ),
    "zendesk-ticket": (
        {}, {}, "POST /api/v2/tickets.json",
        {"ticket": {"subject": "提现失败", "comment": {"body": "提现失败", "public": False}, "priority": "high",
                    "tags": ["fengbo"], "external_id": REFERENCE}},
        {"ticket": {"id": 35}}, {"id": "35", "link": "{base}/agent/tickets/35"}, "look",
    ),
    "salesforce-case": (
        {}, {}, f"PATCH /services/data/v61.0/sobjects/Case/Fengbo_Reference__c/{REFERENCE}",
        {"Subject": "提现失败", "Description": "提现失败", "Priority": "High", "Origin": "Web"},
        {"id": "500xx", "success": True}, {"id": "500xx", "link": "{base}/500xx"}, "repeat",
    ),
    "salesforce-query": (
        {"soql": "SELECT Name FROM Contact WHERE City = '{city|quoted}'"}, {"city": "O'Hara\\"},
        "GET /services/data/v61.0/query", {}, {"done": True, "totalSize": 2, "records": []}, {"count": "2"}, "repeat",
    ),
    "hubspot-ticket": (
        {}, {}, "POST /crm/v3/objects/tickets/batch/upsert",
        {"inputs": [{"id": REFERENCE, "idProperty": "fengbo_reference", "properties": {
            "subject": "提现失败", "content": "提现失败", "hs_pipeline": "0", "hs_pipeline_stage": "1",
            "hs_ticket_priority": "HIGH"}}]},
        {"results": [{"id": "99"}]}, {"id": "99"}, "repeat",
    ),
    "hubspot-contacts": (
        {"filters": [{"propertyName": "city", "operator": "EQ", "value": "{city}"}]}, {"city": "北京"},
        "POST /crm/v3/objects/contacts/search",
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": "北京"}]}],
         "properties": ["firstname", "lastname", "email", "phone"], "limit": 200},
        {"results": [], "total": 0}, {"count": "0"}, "repeat",
    ),
    "alertmanager-silence": (
        {"matchers": [{"name": "service", "value": "{service}", "isRegex": False, "isEqual": True}]},
        {"service": "pay", "duration": "30m"}, "POST /api/v2/silences",
        {"matchers": [{"name": "service", "value": "pay", "isRegex": False, "isEqual": True}],
         "startsAt": "2026-01-05T02:00:00Z", "endsAt": "2026-01-05T02:30:00Z", "createdBy": "Fengbo",
         "comment": f"提现失败 [{REFERENCE}]"},
        {"silenceID": "s-1"}, {"id": "s-1", "link": "{base}/#/silences/s-1"}, "look",
    ),
    "alertmanager-unsilence": ({}, {"silence": "s-1"}, "DELETE /api/v2/silence/s-1", {}, {}, {}, "repeat"),
    "rundeck-job": (
        {"job": "j-1"}, {"options": {"service": "pay"}}, "POST /api/41/job/j-1/run", {"options": {"service": "pay"}},
        {"id": 12, "permalink": "https://rd.example/12"}, {"id": "12", "link": "https://rd.example/12"}, "person",
    ),
    "awx-job": (
        {"template": 9, "extra_vars": {"service": "{service}"}}, {"service": "pay"},
        "POST /api/v2/job_templates/9/launch/", {"extra_vars": {"service": "pay"}},
        {"job": 77, "ignored_fields": {}}, {"id": "77", "link": "{base}/#/jobs/playbook/77"}, "person",
    ),
    "jenkins-job": (
        {"job": "restart pay", "build": {"SERVICE": "{service}"}}, {"service": "a&b=c"},
        "POST /job/restart pay/buildWithParameters", {"SERVICE": "a&b=c"},
        (201, {"Location": "https://ci.example/queue/item/5/"}, None),
        {"link": "https://ci.example/queue/item/5/"}, "person",
    ),
    "odata-query": (
        {"entity": "Orders", "filter": "Batch eq '{batch|quoted}'"}, {"batch": "7"}, "GET /Orders", {},
        {"value": [{"a": 1}, {"a": 2}]}, {"count": "2"}, "repeat",
    ),
    "signed-webhook": (
        {}, {"data": {"a": [1]}}, "POST /",
        {"event": "fengbo.action", "reference": REFERENCE, "title": "提现失败", "run": "7", "step": "tell",
         "data": {"a": [1]}},
        {"id": "x"}, {"id": "x"}, "repeat",
    ),
    "publish": (
        {}, {"statement": "S-1", "version": 2, "digest": "a1", "kind": "original", "audience": "public",
             "language": "zh-CN", "body": "{title} 原样", "published_at": "2026-01-05T10:00:00+08:00"}, "POST /",
        {"event": "fengbo.publish", "reference": REFERENCE, "title": "提现失败", "body": "{title} 原样", "version": 2,
         "statement": "S-1", "digest": "a1", "kind": "original", "audience": "public", "language": "zh-CN",
         "published_at": "2026-01-05T10:00:00+08:00"},
        {"id": "A-1"}, {"id": "A-1"}, "repeat",
    ),
}  # fmt: skip


def test_every_preset_has_its_case_and_says_where_it_comes_from() -> None:
    assert set(CASES) == set(actions.preset_names())
    for name in actions.preset_names():
        data = actions.preset(name)
        assert len(data["about"]) > 60, name
        ActionConfig.model_validate({"system": "x", **{k: v for k, v in data.items() if k not in actions._EXTRA}})


@pytest.mark.parametrize("name", list(CASES))
async def test_a_preset_asks_as_documented_signed_and_once(tmp_path: Path, name: str) -> None:
    given, params, method_and_path, body, answer, result, way = CASES[name]
    blank = {"path": None, "body": None, "success": None, "result": None}
    action = {"preset": name, "with": given}
    async with scene(tmp_path, {**blank, **action}) as it:
        it.desk.answers[method_and_path] = answer
        it.ask(**params)
        it.ask(**params)
        await it.settle()
        call = it.call()
        assert (call.state, call.error) == ("done", "")
        assert call.result == {key: value.replace("{base}", it.desk.url) for key, value in result.items()}
        (made,) = it.desk.calls
        assert made.status in (200, 201), "the peer has checked token and signature"
        assert made.headers["Idempotency-Key"] == REFERENCE
        assert dict(made.body) == body
        if name == "salesforce-query":
            assert made.query["q"] == r"SELECT Name FROM Contact WHERE City = 'O\'Hara\\'"
        if name == "odata-query":
            assert made.query["$filter"] == "Batch eq '7'"
    assert after_doubt(resolved({"system": "s", **action})) == way


def resolved(action: dict[str, Any]) -> actions.Action:
    linkage = {"systems": {"s": {"base_url": "https://s.example"}}, "actions": {"a": action}}
    return actions.resolve(parse(f"linkage: {json.dumps(linkage)}", "x").linkage, "a")


LOOKUPS = {
    "jira-cloud-issue": ({"issues": [{"key": "PR-7"}]}, {"issues": []}, "PR-7"),
    "jira-server-issue": ({"issues": [{"key": "PR-7"}]}, {"issues": []}, "PR-7"),
    "servicenow-incident": ({"result": [{"number": "INC1", "sys_id": "a"}]}, {"result": []}, "INC1"),
    "zendesk-ticket": ({"tickets": [{"id": 3}]}, {"tickets": []}, "3"),
    "alertmanager-silence": (
        [{"id": "old", "comment": REFERENCE, "status": {"state": "expired"}},
         {"id": "s-1", "comment": f"x [{REFERENCE}]", "status": {"state": "active"}}],
        [{"id": "other", "comment": "x", "status": {"state": "active"}}], "s-1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(LOOKUPS))
def test_a_lookup_finds_what_was_done_and_nothing_else(name: str) -> None:
    found, nothing, identity = LOOKUPS[name]
    action = {"system": "s", "preset": name, "with": CASES[name][0]}
    asked = resolved(action)
    lookup = asked.config.lookup
    assert lookup is not None

    def look(answer: Any) -> Ending | None:
        return actions.found_by(lookup, asked, Answer(200, {}, json.dumps(answer).encode()), "k1", 0)

    ending = look(found)
    assert ending is not None and ending.result["id"] == identity
    assert look(nothing) is None
    question = actions.lookup_of(asked, {"reference": REFERENCE})
    assert question.method == "GET" and (REFERENCE in question.url or name == "alertmanager-silence")
