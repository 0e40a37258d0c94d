"""Arithmetic written out in steps that one forward pass of a very small model can do.

Numbers are integers in units of 10^-decimals, so nothing here ever rounds by accident. Every function returns
the text of the step and its exact result; `problems` builds whole thoughts from them.
"""


def text(value, decimals):
    """Writes `value` (in units of 10^-decimals) as a decimal number."""
    if not decimals:
        return str(value)
    sign, value = ("-", -value) if value < 0 else ("", value)
    base = 10**decimals
    return f"{sign}{value // base}.{value % base:0{decimals}d}"


def addition(a, b, decimals):
    """`21.5+19.0=40.5`: the carry is looked up in one pass."""
    return f"{text(a, decimals)}+{text(b, decimals)}={text(a + b, decimals)}", a + b


def subtraction(a, b, decimals):
    """`22.3-18.1=4.2`."""
    return f"{text(a, decimals)}-{text(b, decimals)}={text(a - b, decimals)}", a - b


RELATIONS = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def comparison(a, a_decimals, relation, b, b_decimals):
    """`29.3>28: 2=2 9>8, yes`: digit by digit up to the first that differs; a longer whole part settles it at once.

    `1104<980: 4>3 digits, no`. The two numbers may have different numbers of decimals.
    """
    left, right = text(a, a_decimals), text(b, b_decimals)
    whole, _, fraction = left.partition(".")
    other_whole, _, other_fraction = right.partition(".")
    if len(whole) != len(other_whole):
        steps = [f"{len(whole)}{sign(len(whole), len(other_whole))}{len(other_whole)} digits"]
    else:
        places, steps = max(a_decimals, b_decimals), []
        for x, y in zip(
            whole + fraction.ljust(places, "0"), other_whole + other_fraction.ljust(places, "0")
        ):
            steps.append(f"{x}{sign(x, y)}{y}")
            if x != y:
                break
    holds = RELATIONS[relation](a * 10**b_decimals, b * 10**a_decimals)
    return f"{left}{relation}{right}: {' '.join(steps)}, {'yes' if holds else 'no'}", holds


def sign(x, y):
    return "=" if x == y else ">" if x > y else "<"


def division(total, decimals, n):
    """Long division by one digit, to at most two decimals, half rounded up.

    `58.8/3: 5/3=1 r2, 28/3=9 r1, point, 18/3=6 r0 = 19.6`. Returns the line, the quotient's text and whether it is
    exact. It stops as soon as nothing is left over after the digits the total has.
    """
    whole, _, fraction = text(total, decimals).partition(".")
    head = 2 if len(whole) > 1 and int(whole[0]) < n else 1
    steps, digits = [], []

    def step(rest):
        quotient, left = divmod(rest, n)
        steps.append(f"{rest}/{n}={quotient} r{left}")
        digits.append(str(quotient))
        return left

    left = step(int(whole[:head]))
    for digit in whole[head:]:
        left = step(left * 10 + int(digit))
    if fraction or left:
        steps.append("point")
        digits.append(".")
        places = 0
        for digit in fraction:
            left = step(left * 10 + int(digit))
            places += 1
        while left and places < 2:
            left = step(left * 10)
            places += 1
    quotient = "".join(digits)
    line = f"{text(total, decimals)}/{n}: " + ", ".join(steps)
    if not left:
        return f"{line} = {quotient}", quotient, True
    following = left * 10 // n
    line += f", then {left * 10}/{n}={following}: "
    if following < 5:
        return f"{line}down = {quotient}", quotient, False
    whole, _, fraction = quotient.partition(".")
    rounded = text(int(whole + fraction) + 1, len(fraction))
    return f"{line}{quotient} up = {rounded}", rounded, False
