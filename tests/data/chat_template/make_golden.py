"""Renders conversations with transformers' own chat template code, for src/engine/chat_template.rs to agree with.

Usage: python make_golden.py DEEPSEEK_CHAT_TEMPLATE   (writes golden.json beside itself; made with transformers 5.23.0)

DEEPSEEK_CHAT_TEMPLATE is the chat_template.jinja of DeepSeek-R1-Distill-Qwen. Only what it renders is written down;
the test reads the template itself where it can be found. The templates below are ours.
"""

import json
import sys
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

PLAIN = """\
{# A conversation, one line a turn. #}
{%- for message in messages %}
    {% if message['role'] == 'system' %}
[note] {{ message['content'] | trim }}
    {% else %}
[{{ message['role'] }}] {{ message['content'] }}{% if not loop.last %}{{ eos_token }}{% endif %}

    {% endif %}
{% endfor %}
{% if add_generation_prompt %}
[assistant] <think>
{% endif %}
"""

DIALECT = """\
{%- macro turn(role, text) -%}
<{{ role | upper }}>{{ text }}
{%- endmacro -%}
{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set rest = messages[1:] %}
{% else %}{% set system = none %}{% set rest = messages %}{% endif %}
{% if strftime_now is defined and false %}{% set today = strftime_now('%d %b') %}{% else %}{% set today = '1 Jan' %}{% endif %}
{% set ns = namespace(turns=0, last='') %}
{{ bos_token }}{{ today }} {{ system }} {{ tools is none }} {{ enable_thinking is defined }}
{% for message in rest -%}
    {% set ns.turns = ns.turns + 1 %}
    {% if message.content is string and '=' in message.content %}
        {%- set parts = message.content.split('=') %}
        {{- parts[0].strip() ~ ' is ' ~ parts[-1].lstrip('0 ').rstrip() }}
    {% endif %}
    {% generation %}{{ turn(message.role, message['content'].replace('a', 'A')) }}{% endgeneration %}
    {{ loop.index0 }} {{ loop.first }} {{ loop.previtem.role if loop.previtem is defined else '-' }}
    {%- if message.content.startswith('stop') or message.content.endswith('stop') %}{% break %}{% endif %}
    {%- set ns.last = message.role %}

{% endfor %}
{{ ns.turns }} {{ ns.last }} {{ rest | map(attribute='role') | join(',') }} {{ rest | length }}
{{ messages | tojson }}
{{ messages[0] | tojson(indent=2) }}
{% for key, value in messages[0].items() %}{{ key }}:{{ value | length }};{% endfor %}
{{ (rest | selectattr('role', 'equalto', 'user') | list | last).content }}
{%- if rest[-1].content == 'raise' %}{{ raise_exception('no such turn') }}{% endif %}
"""

IDIOMS = """\
{%- if builtin_tools is defined or tools is not none %}tools{% endif -%}
{%- if messages[0]['role'] == 'system' %}
    {{- '<sys>' + messages[0]['content'] | trim + '\\n' }}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set ns = namespace(searching=true, last_query=loop_messages|length - 1, seen=[]) %}
{%- for message in loop_messages[::-1] %}
    {%- set index = (loop_messages|length - 1) - loop.index0 %}
    {%- if ns.searching and message.role == "user" and not (message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}
        {%- set ns.searching = false %}
        {%- set ns.last_query = index %}
    {%- endif %}
    {%- set ns.seen = ns.seen + [message.role] %}
{%- endfor %}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate') }}
    {%- endif %}
    {%- set thought = '' %}
    {%- set content = message.content %}
    {%- if message.reasoning_content is string %}
        {%- set thought = message.reasoning_content %}
    {%- elif '</think>' in content %}
        {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if loop.index0 > ns.last_query or (loop.last and thought) %}
        {{- '<think>' ~ thought.strip('\\n') ~ '</think>' }}
    {%- endif %}
    {{- '<' ~ message.role ~ loop.index ~ '>' + content }}
    {%- if message.tool_calls %}{{ message.tool_calls | length }}{% endif %}
    {%- if 'tool_calls' in message %}calls{% endif %}
    {%- if message.get('name') is none %}{{- '' }}{% endif %}
    {{- '</s>' if not loop.last else '' }}
{%- endfor %}
{{- ns.seen | first }} {{ ns.seen | unique | join('+') }} {{ ns.last_query }} {{ messages is iterable }} {{ messages[0] is mapping }}
{%- for number in range(3) %} {{ number }}{% endfor %} {{ undefined_name | default('none') }} {{ '%s-%d' | format('a', 7) }} {{ [1.0, 1e3, 7 // 2, 7 / 2] }}
{% if add_generation_prompt %}{{ '<assistant>\\n' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>' }}{% endif %}{% endif %}
"""

SYSTEM = {"role": "system", "content": " You watch a boiler. "}
ASK = {"role": "user", "content": "mean of 1, 2 & <3> = 02 ?"}
THOUGHT = {"role": "assistant", "content": "<think>\nadd\n</think>\n\nIt's \"2\".\né"}
PLAINLY = {"role": "assistant", "content": "It's 2."}
AGAIN = {"role": "user", "content": "And of 4 = 6?\n"}
STOP = {"role": "user", "content": "stop\n  now {{ bos_token }}"}

CONVERSATIONS = {
    "one question": [ASK],
    "system and question": [SYSTEM, ASK],
    "many turns": [SYSTEM, ASK, THOUGHT, AGAIN, PLAINLY, STOP],
    "ends in stop": [ASK, PLAINLY, STOP, PLAINLY, AGAIN],
}
BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"


def main():
    deepseek = Path(sys.argv[1]).read_text(encoding="utf-8")
    closed = deepseek.replace("<think>\\n'}}", "'}}")
    assert closed != deepseek
    templates = {"deepseek": deepseek, "deepseek, unopened": closed, "plain": PLAIN, "dialect": DIALECT,
                 "idioms": IDIOMS}
    cases = []
    for name, template in templates.items():
        for title, messages in CONVERSATIONS.items():
            rendered, _ = render_jinja_template(
                conversations=[messages], chat_template=template, add_generation_prompt=True,
                bos_token=BOS, eos_token=EOS)
            cases.append({"template": name, "title": title, "messages": messages, "rendered": rendered[0]})
    golden = {"bos_token": BOS, "eos_token": EOS, "cases": cases,
              "templates": {"plain": PLAIN, "dialect": DIALECT, "idioms": IDIOMS}}
    text = json.dumps(golden, ensure_ascii=False, indent=1) + "\n"
    Path(__file__).with_name("golden.json").write_text(text, encoding="utf-8")


main()
