namespace Skep.Agent.Images.Registry;

/// <summary>One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1); parameter names are lower case.</summary>
internal sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    public string? Get(string name) => Parameters.GetValueOrDefault(name);

    /// <summary>Reads every challenge of one header value; what cannot be read is left out.</summary>
    public static IReadOnlyList<AuthenticationChallenge> Parse(string header)
    {
        var challenges = new List<AuthenticationChallenge>();
        Dictionary<string, string>? parameters = null;
        var reader = new Reader(header);
        while (reader.SkipTo())
        {
            var word = reader.Token();
            if (word.Length == 0)
            {
                reader.Advance();
            }
            else if (parameters is not null && reader.TryEquals())
            {
                parameters[word.ToLowerInvariant()] = reader.Value();
            }
            else
            {
                parameters = new Dictionary<string, string>(StringComparer.Ordinal);
                challenges.Add(new AuthenticationChallenge(word, parameters));
            }
        }
        return challenges;
    }

    private sealed class Reader(string text)
    {
        private int _at;

        public bool SkipTo()
        {
            while (_at < text.Length && (text[_at] is ',' or ' ' or '\t'))
            {
                _at++;
            }
            return _at < text.Length;
        }

        public void Advance() => _at++;

        public string Token()
        {
            var start = _at;
            while (_at < text.Length && text[_at] is not (',' or ' ' or '\t' or '=' or '"'))
            {
                _at++;
            }
            return text[start.._at];
        }

        public bool TryEquals()
        {
            var at = _at;
            while (at < text.Length && text[at] is ' ' or '\t')
            {
                at++;
            }
            if (at >= text.Length || text[at] != '=')
            {
                return false;
            }
            _at = at + 1;
            while (_at < text.Length && text[_at] is ' ' or '\t')
            {
                _at++;
            }
            return true;
        }

        public string Value()
        {
            if (_at >= text.Length || text[_at] != '"')
            {
                return Token();
            }
            var value = new System.Text.StringBuilder();
            for (_at++; _at < text.Length && text[_at] != '"'; _at++)
            {
                if (text[_at] == '\\' && _at + 1 < text.Length)
                {
                    _at++;
                }
                value.Append(text[_at]);
            }
            _at++;
            return value.ToString();
        }
    }
}
