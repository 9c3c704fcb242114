namespace Skep.Network.Dns;

/// <summary>Answers the queries of one sandbox from the plan. What is none of the swarm's business is left to the forwarder.</summary>
/// <param name="keepDotless">Unknown names without a dot are answered with nothing, since somebody has set ndots.</param>
internal sealed class NameResponder(bool keepDotless = false)
{
    private volatile NameScope _scope = NameScope.Empty;
    private uint _turn = 0x9e3779b9;

    public void Replace(NameScope scope) => _scope = scope;

    /// <summary>
    /// Writes an answer and returns its length; 0: the query is to be forwarded; -1: it deserves no answer. One thread at a time
    /// per responder and transport; a lost step of the turn harms nobody.
    /// </summary>
    /// <param name="query">The message as it came.</param>
    /// <param name="answer">At least 65535 bytes over TCP, at least the largest UDP answer otherwise.</param>
    /// <param name="overUdp">Answers are cut to what the asker takes.</param>
    public int Answer(ReadOnlySpan<byte> query, Span<byte> answer, bool overUdp)
    {
        Span<char> name = stackalloc char[DnsQuestion.LongestName];
        if (!DnsQuestion.TryRead(query, name, out var question))
        {
            return Unreadable(query, answer);
        }

        if (question.Class != DnsNumbers.In)
        {
            return 0;
        }

        var limit = overUdp ? Math.Min(question.PayloadSize, answer.Length) : answer.Length;
        var scope = _scope;
        switch (question.Type)
        {
            case DnsNumbers.Ptr:
                return DnsAnswer.AddressOf(question.Name) is { } address && scope.Reverse(address) is { } reverse
                    ? DnsAnswer.Pointer(query, question, reverse, answer)
                    : 0;
            case DnsNumbers.Srv when question.Name.Length > 0 && question.Name[0] == '_':
                return scope.Services(question.Name.ToString()) is { } services
                    ? DnsAnswer.Services(query, question, services, limit, answer)
                    : 0;
            default:
                return scope.Find(question.Name) is { } entry ? Known(query, question, entry, limit, answer)
                    : keepDotless && question.Type is (DnsNumbers.A or DnsNumbers.Aaaa) && !question.Name.Contains('.')
                        ? DnsAnswer.Empty(query, question.End, DnsNumbers.NoError, answer)
                        : 0;
        }
    }

    /// <summary>One of our names never leaves the swarm: what it does not have is answered with nothing.</summary>
    private int Known(ReadOnlySpan<byte> query, in DnsQuestion question, NameEntry entry, int limit, Span<byte> answer) => question.Type switch
    {
        DnsNumbers.A when entry.V4.Count > 0 => DnsAnswer.Addresses(query, question, entry.V4, Turn(), limit, answer),
        DnsNumbers.Aaaa when entry.V6.Count > 0 => DnsAnswer.Addresses(query, question, entry.V6, Turn(), limit, answer),
        _ => DnsAnswer.Empty(query, question.End, DnsNumbers.NoError, answer),
    };

    /// <summary>
    /// Where an answer begins, by chance (xorshift, G. Marsaglia 2003): were names served by turns, an asker that always asks two names
    /// in a row would get every second address only.
    /// </summary>
    private uint Turn()
    {
        var turn = _turn;
        turn ^= turn << 13;
        turn ^= turn >> 17;
        turn ^= turn << 5;
        return _turn = turn;
    }

    private static int Unreadable(ReadOnlySpan<byte> query, Span<byte> answer)
    {
        if (query.Length < DnsNumbers.HeaderSize || (query[2] & 0x80) != 0)
        {
            return -1;
        }

        var code = (query[2] & 0x78) != 0 ? DnsNumbers.NotImplemented : DnsNumbers.FormatError;
        var length = DnsAnswer.Empty(query, DnsNumbers.HeaderSize, code, answer);
        answer.Slice(4, 2).Clear();
        return length;
    }
}
