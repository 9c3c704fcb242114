using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Network.Dns;
using Skep.Testing.Dns;

namespace Skep.UnitTests.Network.Dns;

/// <summary>A batch through the kernel's loopback: all queries wait at the socket before the pump looks at it.</summary>
public sealed class DatagramPumpTests : IDisposable
{
    private const int UdpLevel = 17;
    private const int UdpGro = 104;
    private const int SocketLevel = 1;
    private const int NoChecksum = 11;
    private const int Queries = 20;

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(20));
    private readonly Socket _server = Bound();

    [Fact]
    public async Task Answers_of_a_batch_to_one_asker_pass_the_kernel_as_one()
    {
        using var asker = Bound();

        // Who takes trains whole (UDP_GRO, udp(7)) sees them.
        asker.SetRawSocketOption(UdpLevel, UdpGro, BitConverter.GetBytes(1));
        await AskAsync(asker, _ => DnsMessage.A);
        using var pump = Serve();

        var buffer = new byte[ushort.MaxValue];
        var length = await asker.ReceiveAsync(buffer, _limit.Token);
        var answers = buffer.AsSpan(0, length).ToArray().Chunk(length / Queries).Select(answer => DnsMessage.Parse(answer)).ToList();
        Assert.Equal(Enumerable.Range(0, Queries), answers.Select(answer => (int)answer.Id));
        Assert.All(answers, answer => Assert.Equal(["10.0.1.2"], answer.Texts));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everybody_gets_the_answers_to_its_own_questions_also_where_the_kernel_takes_no_trains(bool apart)
    {
        if (apart)
        {
            // A socket without checksums sends no trains: EINVAL.
            _server.SetRawSocketOption(SocketLevel, NoChecksum, BitConverter.GetBytes(1));
        }

        using var one = Bound();
        using var other = Bound();
        foreach (var asker in new[] { one, other })
        {
            await AskAsync(asker, i => i % 3 == 0 ? DnsMessage.Aaaa : DnsMessage.A);
        }

        using var pump = Serve();
        foreach (var asker in new[] { one, other })
        {
            var answers = new List<DnsMessage>();
            var buffer = new byte[4096];
            while (answers.Count < Queries)
            {
                answers.Add(DnsMessage.Parse(buffer.AsSpan(0, await asker.ReceiveAsync(buffer, _limit.Token))));
            }

            Assert.Equal(Enumerable.Range(0, Queries), answers.Select(answer => (int)answer.Id).Order());
            Assert.All(answers, answer => Assert.Equal(answer.Id % 3 == 0 ? [] : ["10.0.1.2"], answer.Texts));
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _limit.Dispose();
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private async Task AskAsync(Socket asker, Func<int, ushort> type)
    {
        for (var i = 0; i < Queries; i++)
        {
            await asker.SendToAsync(DnsMessage.Query("web", type(i), (ushort)i), _server.LocalEndPoint!, _limit.Token);
        }
    }

    private DatagramPump Serve()
    {
        var responder = new NameResponder();
        responder.Replace(new NameScope([NetworkNames.Of(NamesExample.Plan.Networks[NamesExample.Front.Id])], null));
        var pump = new DatagramPump(NullLogger.Instance);
        pump.Add(new DatagramService(_server, responder, (_, _) => { }));
        return pump;
    }
}
