# Puts an install or upgrade script together from its parts, with an empty line between two.
#   awk -f assemble.awk [c_names=plain] [after=VERSION] [since=VERSION] [type=TYPE] PART...
# A part of several types has words in @...@ that differ by type: that of the last `type=` before it.
# c_names=plain: the C names are those without `vext_`, as extension vector has them.
# Every statement has a version of extension vector since when it is there: that of the line
# `-- since VERSION` before it, or, where that is lower or missing, the last `since=` before its part.
# after=VERSION: an upgrade from that version, with the statements that came later, and all comments,
# which it did not have.

BEGIN {
    set("vector", "single-precision", "", "vector_norm", "vector_norm", "IMPLICIT")
    set("halfvec", "half-precision", "halfvec_", "l2_norm", "halfvec_l2_norm", "ASSIGNMENT")
    word["vector", "ivfflat_default"] = "DEFAULT "
    word["halfvec", "ivfflat_default"] = ""
    set_support("vector", "", "")
    set_support("halfvec", support(3, "hnsw_halfvec_support"), support(5, "ivfflat_halfvec_support"))
    # Of its parts only those that need no more are shared.
    set_support("sparsevec", support(3, "hnsw_sparsevec_support"), "")
    word["sparsevec", "type"] = "sparsevec"
    word["sparsevec", "prefix"] = "sparsevec_"
    word["sparsevec", "norm"] = "l2_norm"
}

# The numbers of the type; what precedes in C the names that SQL overloads; what its norm is called in
# SQL and in C; when it is cast to an array by itself.
function set(type, precision, prefix, norm, norm_symbol, to_array) {
    word[type, "type"] = type
    word[type, "precision"] = precision
    word[type, "prefix"] = prefix
    word[type, "norm"] = norm
    word[type, "norm_symbol"] = norm_symbol
    word[type, "to_array"] = to_array
}

# What ends the operator classes of the type, by access method.
function set_support(type, hnsw, ivfflat) {
    word[type, "hnsw_support"] = hnsw
    word[type, "ivfflat_support"] = ivfflat
}

function support(number, name) {
    return ",\n    FUNCTION " number " " name "(internal)"
}

# Whether version a is later than version b.
function is_later(a, b, x, y, i) {
    split(a, x, ".")
    split(b, y, ".")
    for (i = 1; i <= 3; i++)
        if (x[i] + 0 != y[i] + 0)
            return x[i] + 0 > y[i] + 0
    return 0
}

# The text with the words of the type in place of @...@.
function filled(text, name) {
    while (match(text, /@[a-z0-9_]+@/)) {
        name = substr(text, RSTART + 1, RLENGTH - 2)
        if (!((type, name) in word)) {
            print FILENAME ":" FNR ": no word for @" name "@" >"/dev/stderr"
            exit 1
        }
        text = substr(text, 1, RSTART - 1) word[type, name] substr(text, RSTART + RLENGTH)
    }
    return text
}

FNR == 1 && NR > 1 { print "" }

/^-- since / { since_here = is_later($3, since) ? $3 : since; next }

after != "" && !is_inside && (/^$/ || /^-- /) { next }

!is_inside {
    is_left_out = after != "" && !/^COMMENT / && !/^\\echo / &&
        !is_later(since_here != "" ? since_here : since, after)
}

{
    line = filled($0)
    if (c_names == "plain")
        sub(/'MODULE_PATHNAME', 'vext_/, "'MODULE_PATHNAME', '", line)
    if (!is_left_out)
        print line

    # A statement ends with a semicolon outside of $$...$$.
    if (gsub(/\$\$/, "", line) % 2)
        is_quoted = !is_quoted
    is_inside = !/^$/ && !/^-- / && !/^\\echo / && (is_quoted || !/;$/)
    if (!is_inside && /;$/)
        since_here = ""
}
