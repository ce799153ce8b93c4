# Puts the install script together from its parts, with an empty line between two.
#   awk -f assemble.awk PART... type=TYPE PART...
# A part of several types has words in @...@ that differ by type: that of the last `type=` before it.

BEGIN {
    set("vector", "single-precision", "", "vector_norm", "vector_norm", "IMPLICIT")
    set("halfvec", "half-precision", "halfvec_", "l2_norm", "halfvec_l2_norm", "ASSIGNMENT")
    # Of its parts only those that need no more are shared.
    word["sparsevec", "type"] = "sparsevec"
    word["sparsevec", "prefix"] = "sparsevec_"
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

FNR == 1 && NR > 1 { print "" }

{
    while (match($0, /@[a-z_]+@/)) {
        name = substr($0, RSTART + 1, RLENGTH - 2)
        if (!((type, name) in word)) {
            print FILENAME ":" FNR ": no word for @" name "@" >"/dev/stderr"
            exit 1
        }
        $0 = substr($0, 1, RSTART - 1) word[type, name] substr($0, RSTART + RLENGTH)
    }
    print
}
