using System.Runtime.InteropServices;
using Skep.Network.Dns;
using Skep.Testing.Dns;

namespace Skep.UnitTests.Network.Dns;

/// <summary>Messages that nobody means well with: no crash, no byte read or written outside the buffers, a readable answer or none.</summary>
public sealed partial class HostileQueryTests
{
    private const int Mutations = 6000;

    [Fact]
    public void Mutated_queries_are_answered_forwarded_or_dropped()
    {
        var random = new Random(20260924);
        byte[][] seeds =
        [
            DnsMessage.Query("web", DnsMessage.A), DnsMessage.Query("rr", DnsMessage.A, payload: 1232), DnsMessage.Query("_http._tcp.web", DnsMessage.Srv, payload: 700),
            DnsMessage.Query("11.1.0.10.in-addr.arpa", DnsMessage.Ptr), DnsMessage.Query("db.back", DnsMessage.Aaaa), DnsMessage.Query("tasks.web.front", DnsMessage.A),
        ];
        var responder = NameResponderTests.Responder();
        var outcomes = new int[3];
        for (var i = 0; i < Mutations; i++)
        {
            var query = Mutate(seeds[random.Next(seeds.Length)], random);
            var length = AnswerInGuardedMemory(responder, query, overUdp: random.Next(2) == 0);
            outcomes[Math.Sign(length) + 1]++;
        }

        // The generator reaches every outcome, or the test would prove nothing.
        Assert.All(outcomes, count => Assert.True(count > Mutations / 50, string.Join(' ', outcomes)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("1234010000010000000000")]
    public void Less_than_a_header_gets_no_answer(string hex) => Assert.Equal(-1, AnswerInGuardedMemory(new NameResponder(), Convert.FromHexString(hex), overUdp: true));

    [Fact]
    public void A_response_gets_no_answer_so_that_two_servers_never_talk_for_ever()
    {
        var query = DnsMessage.Query("web", DnsMessage.A);
        query[2] |= 0x80;

        Assert.Equal(-1, AnswerInGuardedMemory(NameResponderTests.Responder(), query, overUdp: true));
    }

    [Theory]
    [InlineData("1234 0100 0001 0000 0000 0000", 1)]
    [InlineData("1234 0100 0000 0000 0000 0000", 1)]
    [InlineData("1234 0100 0002 0000 0000 0000 0161 0000 0100 0101 6100 0001 0001", 1)]
    [InlineData("1234 0100 0001 0000 0000 0000 c00c 0001 0001", 1)]
    [InlineData("1234 0100 0001 0000 0000 0000 3f61 00", 1)]
    [InlineData("1234 0100 0001 0000 0000 0000 0161 00 0001", 1)]
    [InlineData("1234 1000 0001 0000 0000 0000 0161 00 0001 0001", 4)]
    [InlineData("1234 2800 0001 0000 0000 0000 0161 00 0001 0001", 4)]
    public void A_query_that_cannot_be_read_is_refused_with_a_code(string hex, int code)
    {
        var answer = new byte[512];
        var length = new NameResponder().Answer(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), answer, overUdp: true);

        Assert.Equal((12, 0x12, 0x34, code), (length, answer[0], answer[1], answer[3] & 0xf));
        Assert.Equal(new byte[8], answer[4..12]);
    }

    [Fact]
    public void A_name_of_the_longest_kind_is_read_and_a_longer_one_is_not()
    {
        var label = new string('a', 63);
        Span<char> buffer = stackalloc char[DnsQuestion.LongestName];

        Assert.True(DnsQuestion.TryRead(DnsMessage.Query($"{label}.{label}.{label}.{label[..61]}", DnsMessage.A), buffer, out var question));
        Assert.Equal(253, question.Name.Length);
        Assert.False(DnsQuestion.TryRead(DnsMessage.Query($"{label}.{label}.{label}.{label}.a", DnsMessage.A), buffer, out _));
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var query = seed.ToArray();
        for (var times = random.Next(1, 5); times > 0 && query.Length > 0; times--)
        {
            var at = random.Next(query.Length);
            switch (random.Next(5))
            {
                case 0: query[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: query[at] = (byte)random.Next(256); break;
                case 2: query = query[..at]; break;
                case 3: query = [.. query[..at], .. seed[random.Next(seed.Length)..], .. query[at..]]; break;
                default: query[at] = (byte)(0xc0 | random.Next(64)); break;
            }
        }

        return query;
    }

    /// <summary>The message ends exactly before a page that cannot be read, and so does the room for its answer: a stray byte ends the process.</summary>
    private static unsafe int AnswerInGuardedMemory(NameResponder responder, byte[] query, bool overUdp)
    {
        using GuardedMemory question = new(query.Length), room = new(overUdp ? 4096 : ushort.MaxValue);
        query.CopyTo(question.Span);
        var length = responder.Answer(question.Span, room.Span, overUdp);
        if (length > DnsNumbers.HeaderSize)
        {
            var answer = DnsMessage.Parse(room.Span[..length]);
            Assert.True(answer.IsResponse);
            Assert.True(!overUdp || length <= 4096);
        }

        return length;
    }

    private sealed unsafe partial class GuardedMemory : IDisposable
    {
        private const int Page = 4096;
        private readonly byte* _start;
        private readonly nuint _mapped;
        private readonly int _length;

        public GuardedMemory(int length)
        {
            _length = length;
            _mapped = (nuint)(((length + Page - 1) / Page * Page) + Page);
            _start = (byte*)Map(null, _mapped, protection: 3, flags: 0x22, descriptor: -1, offset: 0);
            Assert.True(_start != (byte*)-1);
            Assert.Equal(0, Protect(_start + _mapped - Page, Page, protection: 0));
        }

        public Span<byte> Span => new(_start + _mapped - Page - _length, _length);

        public void Dispose() => _ = Unmap(_start, _mapped);

        [LibraryImport("libc", EntryPoint = "mmap")]
        private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

        [LibraryImport("libc", EntryPoint = "mprotect")]
        private static partial int Protect(void* address, nuint length, int protection);

        [LibraryImport("libc", EntryPoint = "munmap")]
        private static partial int Unmap(void* address, nuint length);
    }
}
