"""Arithmetic written out in steps that one forward pass of a very small model can do.

Numbers are integers in units of 10^-decimals, so nothing here ever rounds by accident; clock times
are minutes. Every function returns the text of its steps and the exact result. The notation is the
same in every language:

    21.5+19.7~2.14=41.2     columns from the right, so that a carry is the step before; then turned
    22.3-18.1~2.40=4.2      the same with borrows, every column; turning drops leading zeros
    29.3>28 2=2 9>8 yes     digit by digit up to the first that differs
    58.8/3 5=1r2 28=9r1 .18=6r0 =19.6
    23.5x4 20 14 9 =94.0    each column's product plus the carry, from the right
    22:45+1:30 45+30=75-60=15 22+1+1=24-24=00 =00:15 +1d
"""


def text(value, decimals):
    """Writes `value` (in units of 10^-decimals) as a decimal number with a point."""
    if not decimals:
        return str(value)
    sign, value = ("-", -value) if value < 0 else ("", value)
    base = 10**decimals
    return f"{sign}{value // base}.{value % base:0{decimals}d}"


def mirrored(value, decimals, width=0):
    """The digits of a number from the right, at least `width` of them; a minus comes last: `-4.2`
    is `2.4-`."""
    digits = str(abs(value)).rjust(max(width, decimals + 1), "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    number = f"{whole}.{fraction}" if decimals else whole
    return number[::-1] + ("-" if value < 0 else "")


def width(value, decimals):
    return max(len(str(abs(value))), decimals + 1)


# Sums ------------------------------------------------------------


def accumulate(total, value, decimals):
    """One more operand of a running sum, `19.7~2.14`: the total so far stands mirrored in the line
    before.

    Operands of unlike signs compare their sizes first: `-2.1 4>2 ~3.2`.
    """
    result = total + value
    operand = text(value, decimals)
    if (total < 0) == (value < 0) or not total or not value:
        return f"{operand}~{mirrored(result, decimals)}", result
    steps = digits_compared(abs(total), decimals, abs(value), decimals)[0]
    wide = max(width(total, decimals), width(value, decimals))
    return f"{operand} {steps} ~{mirrored(result, decimals, wide)}", result


def running_sum(values, decimals):
    """Numbered lines `1:21.5~5.12`, `2:19.7~2.14`, and the exact sum; the last line still stands
    mirrored."""
    total = values[0]
    lines = [f"1:{text(total, decimals)}~{mirrored(total, decimals)}"]
    for number, value in enumerate(values[1:], 2):
        step, total = accumulate(total, value, decimals)
        lines.append(f"{number}:{step}")
    return lines, total


def addition(a, b, decimals):
    """`21.5+19.7~2.14=41.2`, for two numbers from zero on."""
    total = a + b
    given = f"{text(a, decimals)}+{text(b, decimals)}"
    return f"{given}~{mirrored(total, decimals)}={text(total, decimals)}", total


def subtraction(a, b, decimals, weighed=False):
    """`22.3-18.1~2.40=4.2`, for numbers from zero on; where `b` is larger, `b-a` is written and the
    sign put before. `weighed`: their digits are compared first."""
    difference = a - b
    columns = mirrored(abs(difference), decimals, width(max(a, b), decimals))
    line = f"{text(a, decimals)}-{text(b, decimals)}"
    if weighed:
        line += f" {digits_compared(a, decimals, b, decimals)[0]}"
    if a < b:
        line += f"{' ' if weighed else '='}-({text(b, decimals)}-{text(a, decimals)})"
    return f"{line}~{columns}={text(difference, decimals)}", difference


def difference(a, b, decimals, weighed=False):
    """`a - b` for any signs, told as an addition or a subtraction of sizes: `-3-4` is `-(3+4)`."""
    if a >= 0 and b >= 0:
        return subtraction(a, b, decimals, weighed)
    given = f"{text(a, decimals)}-{text(b, decimals)}"
    if a < 0 and b < 0:
        line, result = subtraction(-b, -a, decimals, weighed)
        return f"{given}={line}", result
    line, size = addition(abs(a), abs(b), decimals)
    if a >= 0:
        return f"{given}={line}", size
    sum_, _, columns = line.partition("~")
    columns = columns.partition("=")[0]
    return f"{given}=-({sum_})~{columns}={text(-size, decimals)}", -size


def change(a, b, decimals):
    """`difference` where nobody knows beforehand which of the two is larger: digits are compared first, `3.0-2.4
    3>2~6.0=0.6`, `2.4-3.0 2<3 -(3.0-2.4)~6.0=-0.6`. Different signs need no comparison."""
    return difference(a, b, decimals, weighed=True)


# Comparisons ------------------------------------------------------------

RELATIONS = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def sign(x, y):
    return "=" if x == y else ">" if x > y else "<"


def digits_compared(a, a_decimals, b, b_decimals):
    """`2=2 9>8`, or `#4>#3` where one has more digits before the point; returns the steps and -1, 0
    or 1.

    Different signs settle it at once (`-<+`); two negative numbers are marked by `-` first, which
    turns the outcome.
    """
    order = (a * 10**b_decimals > b * 10**a_decimals) - (a * 10**b_decimals < b * 10**a_decimals)
    if (a < 0) != (b < 0):
        return ("-<+" if a < 0 else "+>-"), order
    whole, _, fraction = text(abs(a), a_decimals).partition(".")
    other_whole, _, other_fraction = text(abs(b), b_decimals).partition(".")
    if len(whole) != len(other_whole):
        steps = [f"#{len(whole)}{sign(len(whole), len(other_whole))}#{len(other_whole)}"]
    else:
        places, steps = max(a_decimals, b_decimals), []
        for x, y in zip(
            whole + fraction.ljust(places, "0"), other_whole + other_fraction.ljust(places, "0")
        ):
            steps.append(f"{x}{sign(x, y)}{y}")
            if x != y:
                break
    return ("- " if a < 0 else "") + " ".join(steps), order


def comparison(a, a_decimals, relation, b, b_decimals):
    """`29.3>28 2=2 9>8 yes`. The two numbers may have different numbers of decimals."""
    steps, _ = digits_compared(a, a_decimals, b, b_decimals)
    holds = RELATIONS[relation](a * 10**b_decimals, b * 10**a_decimals)
    given = f"{text(a, a_decimals)}{relation}{text(b, b_decimals)}"
    return f"{given} {steps} {'yes' if holds else 'no'}", holds


def best(values, decimals, relation=">", names=None):
    """The highest (or with `<` lowest) of several: numbered lines, each compared with the best so
    far, `*3`.

    `1:21.5 *1`, `2:23.4 2=2 3>1 *2`. `names`, where given, are copied after the number: `2:hall
    23.4 ...`.
    """
    found, lines = 0, []
    for i, value in enumerate(values):
        name = f"{names[i]} " if names else ""
        line = f"{i + 1}:{name}{text(value, decimals)}"
        if i:
            steps, order = digits_compared(value, decimals, values[found], decimals)
            line += f" {steps}"
            if RELATIONS[relation](order, 0):
                found = i
        lines.append(f"{line} *{found + 1}")
    return lines, found


def extremes(values, decimals, names=None):
    """Highest and lowest in one reading: `3:19.0 1<2 1<2 *13`, compared with the highest, then with
    the lowest. `names`, where given, are copied before the values."""
    high = low = 0
    lines = []
    for i, value in enumerate(values):
        name = f"{names[i]} " if names else ""
        line = f"{i + 1}:{name}{text(value, decimals)}"
        if i:
            steps, order = digits_compared(value, decimals, values[high], decimals)
            line += f" {steps}"
            if order > 0:
                high = i
            elif high != low or order < 0:
                if high != low:
                    steps, order = digits_compared(value, decimals, values[low], decimals)
                    line += f" {steps}"
                if order < 0:
                    low = i
        lines.append(f"{line} *{high + 1}{low + 1}")
    return lines, high, low


def ordering(values, decimals, names=None, relation=">", keep=None):
    """Sorts by insertion: `3:23.4 1 2=2 3>1 *312`. Each new one is compared from the top; `*` lists
    the order so far.

    Returns the lines and the indices from the highest (with `<` the lowest) on, equal ones in the
    order they came. With `keep` only so many of the first are kept: the two leaders, say.
    """
    order, lines = [], []
    for i, value in enumerate(values):
        name = f"{names[i]} " if names else ""
        line = f"{i + 1}:{name}{text(value, decimals)}"
        place = 0
        for other in order:
            steps, outcome = digits_compared(value, decimals, values[other], decimals)
            line += f" {other + 1} {steps}"
            if RELATIONS[relation](outcome, 0):
                break
            place += 1
        order.insert(place, i)
        del order[keep or len(order) :]
        lines.append(line + " *" + "".join(str(j + 1) for j in order))
    return lines, order


def alphabetical(names):
    """Sorts names by their first letters, which must differ: `3:hall 2 h>a 1 h<k *231`, compared
    from the top. Returns the lines and the order from A to Z."""
    order, lines = [], []
    for i, name in enumerate(names):
        letter = name[0].lower()
        line = f"{i + 1}:{name}" + ("" if order else f" {letter}")
        place = 0
        for other in order:
            first = names[other][0].lower()
            line += f" {other + 1} {letter}{sign(letter, first)}{first}"
            if letter < first:
                break
            place += 1
        order.insert(place, i)
        lines.append(line + " *" + "".join(str(j + 1) for j in order))
    return lines, order


def marks(hits):
    """What stands behind each of several numbered lines to keep those that count: `*`, `*2`, `*23`;
    the last one lists them all."""
    kept, found = "*", []
    for number, hit in enumerate(hits, 1):
        kept += str(number) if hit else ""
        found.append(kept)
    return found


# Products and quotients ------------------------------------------------------------


def multiplication(a, decimals, digit):
    """`23.5x4 20 14 9 =94.0`: every column times the digit plus the carry, from the right."""
    carry, steps = 0, []
    for numeral in reversed(str(abs(a))):
        product = int(numeral) * digit + carry
        carry = product // 10
        steps.append(str(product))
    result = a * digit
    return f"{text(a, decimals)}x{digit} {' '.join(steps)} ={text(result, decimals)}", result


def product(a, a_decimals, b, b_decimals):
    """`a` times `b`, both from zero on: one line for every digit of `b` that is not zero, then
    their sums.

    Returns the lines, the product and its decimals (`a_decimals + b_decimals`, as they stand before
    any shortening).
    """
    decimals = a_decimals + b_decimals
    lines, total = [], None
    if b == 0:
        return [f"{text(a, a_decimals)}x{text(b, b_decimals)}={text(0, decimals)}"], 0, decimals
    if b_decimals or b > 9:
        lines.append(f"{text(a, a_decimals)}x{text(b, b_decimals)}")
    for place, numeral in enumerate(reversed(str(b))):
        digit = int(numeral)
        if not digit:
            continue
        line, part = multiplication(a, a_decimals, digit)
        shifted = part * 10**place
        if place or b_decimals:
            line += f" {text(shifted, decimals)}"
        lines.append(line)
        if total is None:
            total = shifted
        else:
            line, total = addition(total, shifted, decimals)
            lines.append(line)
    return lines, total, decimals


def whole_division(total, n):
    """How often `n` goes into `total`, both whole, and what is left: `410/30 41=1(30)r11 110=3(90)r20 =13r20`, as
    `division` but without decimals. The line, the quotient and the rest."""
    digits, head = str(total), 1
    while head < len(digits) and int(digits[:head]) < n:
        head += 1
    rest, steps, found = 0, [], ""
    for part in [digits[:head], *digits[head:]]:
        held = rest * 10 ** len(part) + int(part)
        quotient, rest = divmod(held, n)
        taken = f"({quotient * n})" if n > 9 else ""
        steps.append(f"{held}={quotient}{taken}r{rest}")
        found += str(quotient)
    return f"{total}/{n} {' '.join(steps)} ={int(found)}" + (f"r{rest}" if rest else ""), int(found), rest


def division(total, decimals, n, places=2):
    """Division by a whole number to at most `places` decimals, half rounded away from zero.

    `58.8/3 5=1r2 28=9r1 .18=6r0 =19.6`: rest with the next digit, quotient's digit, new rest. It
    stops when nothing is left over; otherwise the next digit decides: `10=3 dn =19.33`. By more
    than one digit each step first shows the product taken away: `32=2(28)r4`. Returns the line, the
    quotient's value and decimals, and whether it is exact.
    """
    size = abs(total)
    whole, _, fraction = text(size, decimals).partition(".")
    head = 1
    while head < len(whole) and int(whole[:head]) < n:
        head += 1
    steps, digits = [], ""

    def step(rest, point=""):
        nonlocal digits
        quotient, left = divmod(rest, n)
        taken = f"({quotient * n})" if n > 9 else ""
        steps.append(f"{point}{rest}={quotient}{taken}r{left}")
        digits += str(quotient)
        return left

    left, made = step(int(whole[:head])), 0
    for numeral in whole[head:]:
        left = step(left * 10 + int(numeral))
    for numeral in fraction[:places]:
        left = step(left * 10 + int(numeral), "" if made else ".")
        made += 1
    following = fraction[places:]
    while left and not following and made < places:
        left = step(left * 10, "" if made else ".")
        made += 1
    exact = not left and not following.strip("0")
    value = int(digits)
    line = f"{text(total, decimals)}/{n} {' '.join(steps)}"
    if not exact:
        rest = left * 10 + int(following[:1] or 0)
        up = rest // n >= 5
        line += f" {rest}={rest // n} {'up' if up else 'dn'}"
        value += up
    value = -value if total < 0 else value
    return f"{line} ={text(value, made)}", value, made, exact


def trimmed(value, decimals):
    """The same number without zeros at its decimals' end."""
    while decimals and value % 10 == 0:
        value, decimals = value // 10, decimals - 1
    return value, decimals


def aligned(a, a_decimals, b, b_decimals):
    """Two numbers in the same units: their values and the decimals they now share."""
    decimals = max(a_decimals, b_decimals)
    return a * 10 ** (decimals - a_decimals), b * 10 ** (decimals - b_decimals), decimals


def shifted(value, decimals, places):
    """Times or (`places` below zero) divided by a power of ten, the point moved one place a step.

    `1.5x1000 15 150 =1500`, `250/1000 25 2.5 =0.25`. Returns the line, the value and its decimals.
    """
    line = f"{text(value, decimals)}{'x' if places > 0 else '/'}{10 ** abs(places)}"
    value, decimals = trimmed(value, decimals)
    for step in range(abs(places)):
        if places < 0:
            decimals += 1
        elif decimals:
            decimals -= 1
        else:
            value *= 10
        value, decimals = trimmed(value, decimals)
        last = step == abs(places) - 1
        line += f" {'=' if last else ''}{text(value, decimals)}"
    return line, value, decimals


def finish(lines, value, decimals):
    """Ends a thought: where the last line does not show the number in its shortest form, `=9.2`
    follows. Returns the lines, the value and its decimals."""
    value, decimals = trimmed(value, decimals)
    last = f"={text(value, decimals)}"
    return ([*lines] if lines and lines[-1].endswith(last) else [*lines, last]), value, decimals


def _power_of_ten(value):
    """How many zeros follow a one, or nothing if it is another number."""
    digits = str(value)
    return len(digits) - 1 if digits[0] == "1" and not digits[1:].strip("0") else None


def times(a, a_decimals, b, b_decimals):
    """`product` in its shortest form: by the number of fewer digits, by a power of ten as a shift,
    the zeros at the end taken away. Returns the lines, the value and its decimals."""
    a, a_decimals = trimmed(a, a_decimals)
    b, b_decimals = trimmed(b, b_decimals)
    first, second = (a, a_decimals), (b, b_decimals)
    for (x, dx), (y, dy) in ((first, second), (second, first)):
        zeros = _power_of_ten(y) if not dy and y > 0 else None
        if zeros:
            line, value, decimals = shifted(x, dx, zeros)
            return [line], value, decimals

    def effort(number):
        return len(str(abs(number)).replace("0", "")), len(str(abs(number)))

    if b < 0 or (a >= 0 and effort(b) > effort(a)):
        a, a_decimals, b, b_decimals = b, b_decimals, a, a_decimals
    return finish(*product(a, a_decimals, b, b_decimals))


def quotient(a, a_decimals, b, b_decimals, places=2):
    """`a` by `b`, any decimals: the divisor is first made a whole number without zeros at its end.

    `450/2.5 =4500/25`, `135/60 =13.5/6`, then the division. Returns the lines, the value, its
    decimals, and whether it is exact.
    """
    a, a_decimals = trimmed(a, a_decimals)
    b, b_decimals = trimmed(b, b_decimals)
    zeros = _power_of_ten(b) if not b_decimals else None
    if zeros and a_decimals + zeros <= places + 1 and trimmed(a, a_decimals + zeros)[1] <= places:
        line, value, decimals = shifted(a, a_decimals, -zeros)
        return [line], value, decimals, True
    lines, move = [], b_decimals
    while b % 10 == 0:
        b, move = b // 10, move - 1
    if move:
        line = f"{text(a, a_decimals)}/{text(b * 10 ** max(0, -move), max(0, move))}"
        a_decimals -= move
        if a_decimals < 0:
            a, a_decimals = a * 10**-a_decimals, 0
        a, a_decimals = trimmed(a, a_decimals)
        lines.append(f"{line} ={text(a, a_decimals)}/{b}")
    if b == 1:
        lines = lines or [f"{text(a, a_decimals)}/1"]
        if a_decimals <= places:
            return finish(lines, a, a_decimals) + (True,)
        line, value = rounded(a, a_decimals, places)
        return finish([*lines, line], value, places) + (False,)
    line, value, made, exact = division(a, a_decimals, b, places)
    return finish([*lines, line], value, made) + (exact,)


def rounded(value, decimals, places):
    """To `places` decimals, half away from zero: `2.34|67 6 up =2.35`; the first digit cut off
    decides. Returns the line and the value."""
    cut = decimals - places
    if cut <= 0:
        value *= 10**-cut
        return f"={text(value, places)}", value
    size, rest = divmod(abs(value), 10**cut)
    tail = f"{rest:0{cut}d}"
    up = tail[0] >= "5"
    size += up
    size = -size if value < 0 else size
    kept = text(value, decimals)[: -cut - (0 if places else 1)]
    return f"{kept}|{tail} {tail[0]} {'up' if up else 'dn'} ={text(size, places)}", size


def total(a, b, decimals):
    """`a + b` for any signs: a negative operand is taken away instead, `-9+32` is `32-9`."""
    if a >= 0 and b >= 0:
        return addition(a, b, decimals)
    if a < 0 and b >= 0:
        return difference(b, -a, decimals)
    return difference(a, -b, decimals)


# The clock ------------------------------------------------------------

DAY = 24 * 60


def clock(minutes):
    """`07:05`."""
    minutes %= DAY
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def clock_addition(start, duration):
    """`22:45+1:30 45+30=75-60=15 22+1+1=24-24=00 =00:15 +1d`; minutes first, as on paper."""
    minutes = start % 60 + duration % 60
    hours = start // 60 + duration // 60
    first = f"{start % 60:02d}+{duration % 60:02d}={minutes:02d}"
    then = f"{start // 60:02d}+{duration // 60}"
    if minutes >= 60:
        minutes -= 60
        hours += 1
        first += f"-60={minutes:02d}"
        then += "+1"
    then += f"={hours:02d}"
    days = 0
    while hours >= 24:
        hours -= 24
        days += 1
        then += f"-24={hours:02d}"
    tail = f" +{days}d" if days else ""
    given = f"{clock(start)}+{duration // 60}:{duration % 60:02d}"
    return f"{given} {first} {then} ={hours:02d}:{minutes:02d}{tail}", start + duration


def clock_difference(end, start):
    """From `start` to `end`, over midnight where `end` is earlier: `06:15-22:45 15+60-45=30
    6+24-1-22=7 =7:30`."""
    minutes, first = end % 60 - start % 60, f"{end % 60:02d}"
    hours, then = end // 60 - start // 60, f"{end // 60:02d}"
    if minutes < 0:
        minutes += 60
        hours -= 1
        first += "+60"
    if hours < 0:
        hours += 24
        then += "+24"
    if first.endswith("+60"):
        then += "-1"
    first += f"-{start % 60:02d}={minutes:02d}"
    then += f"-{start // 60:02d}={hours:02d}"
    return (
        f"{clock(end)}-{clock(start)} {first} {then} ={hours}:{minutes:02d}",
        hours * 60 + minutes,
    )


def clock_subtraction(time, duration):
    """A duration under a day before a time: `06:15-7:30 15+60-30=45 06+24-1-7=22 =22:45 -1d`."""
    minutes, first = time % 60 - duration % 60, f"{time % 60:02d}"
    hours, then = time // 60 - duration // 60, f"{time // 60:02d}"
    borrowed = minutes < 0
    if borrowed:
        minutes += 60
        hours -= 1
        first += "+60"
    back = hours < 0
    if back:
        hours += 24
        then += "+24"
    then += "-1" if borrowed else ""
    first += f"-{duration % 60:02d}={minutes:02d}"
    then += f"-{duration // 60}={hours:02d}"
    given = f"{clock(time)}-{duration // 60}:{duration % 60:02d}"
    tail = " -1d" if back else ""
    return f"{given} {first} {then} ={hours:02d}:{minutes:02d}{tail}", time - duration


def half_day(minutes):
    """`10:45 pm`; midnight is `12:00 am`, noon `12:00 pm`."""
    hour = minutes // 60 % 24
    return f"{hour % 12 or 12}:{minutes % 60:02d} {'am' if hour < 12 else 'pm'}"


def time_digits(a, b):
    """Two clock times digit by digit up to the first that differs, `1=1 8>5`: the steps and -1, 0
    or 1."""
    steps = []
    for x, y in zip(f"{a // 60:02d}{a % 60:02d}", f"{b // 60:02d}{b % 60:02d}"):
        steps.append(f"{x}{sign(x, y)}{y}")
        if x != y:
            break
    return " ".join(steps), (a > b) - (a < b)


def clock_comparison(a, relation, b):
    """`06:15<22:00 0<2 yes`."""
    steps = []
    for x, y in zip(f"{a // 60:02d}{a % 60:02d}", f"{b // 60:02d}{b % 60:02d}"):
        steps.append(f"{x}{sign(x, y)}{y}")
        if x != y:
            break
    holds = RELATIONS[relation](a, b)
    return f"{clock(a)}{relation}{clock(b)} {' '.join(steps)} {'yes' if holds else 'no'}", holds


def clock_within(time, start, end):
    """Whether `time` lies in a daily window, its start included and its end not; one that passes
    midnight needs only one of its two comparisons. Returns lines and truth."""
    after, is_after = clock_comparison(time, ">=", start)
    before, is_before = clock_comparison(time, "<", end)
    if start <= end:
        return ([after, before], is_before) if is_after else ([after], False)
    night = f"{clock(start)}>{clock(end)} night"
    return ([night, after], True) if is_after else ([night, after, before], is_before)


def hours_and_minutes(minutes):
    """`135=2x60+15 =2:15`: whole hours are taken out in one step."""
    text = f"{minutes}={minutes // 60}x60+{minutes % 60} ={minutes // 60}:{minutes % 60:02d}"
    return text, divmod(minutes, 60)
