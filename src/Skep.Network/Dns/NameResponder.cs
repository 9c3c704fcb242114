namespace Skep.Network.Dns;

/// <summary>Answers the queries of one sandbox from the plan. What is none of the swarm's business is left to the forwarder.</summary>
internal sealed class NameResponder
{
    private volatile NameScope _scope = NameScope.Empty;
    private uint _turn;

    public void Replace(NameScope scope) => _scope = scope;

    /// <summary>
    /// Writes an answer and returns its length; 0: the query is to be forwarded; -1: it deserves no answer. One thread at a time
    /// per responder and transport; a lost increment of the turn harms nobody.
    /// </summary>
    /// <param name="query">The message as it came.</param>
    /// <param name="answer">At least 65535 bytes over TCP, at least the largest UDP answer otherwise.</param>
    /// <param name="overUdp">Answers are cut to what the asker takes.</param>
    public int Answer(ReadOnlySpan<byte> query, Span<byte> answer, bool overUdp)
    {
        Span<char> name = stackalloc char[256];
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
                return scope.Find(question.Name) is { } entry ? Known(query, question, entry, limit, answer) : 0;
        }
    }

    /// <summary>One of our names never leaves the swarm: what it does not have is answered with nothing.</summary>
    private int Known(ReadOnlySpan<byte> query, in DnsQuestion question, NameEntry entry, int limit, Span<byte> answer) => question.Type switch
    {
        DnsNumbers.A when entry.V4.Length > 0 => DnsAnswer.Addresses(query, question, entry.V4, _turn++, limit, answer),
        DnsNumbers.Aaaa when entry.V6.Length > 0 => DnsAnswer.Addresses(query, question, entry.V6, _turn++, limit, answer),
        _ => DnsAnswer.Empty(query, question.End, DnsNumbers.NoError, answer),
    };

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
