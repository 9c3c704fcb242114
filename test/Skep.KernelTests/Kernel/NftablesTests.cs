using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

public sealed class NftablesTests : IDisposable
{
    private static readonly NftTable s_table = new(NftFamily.Ip, "balancer");

    private readonly NamespaceFixture _namespaces = new();
    private readonly NetworkNamespace _here;
    private readonly Nftables _nftables;

    public NftablesTests()
    {
        _here = _namespaces.Create("here");
        _nftables = new Nftables(_here);
    }

    public void Dispose()
    {
        _namespaces.Dispose();
    }

    [Fact]
    public async Task A_process_with_more_descriptors_than_select_can_count_still_changes_rules()
    {
        var many = new List<FileStream>();
        try
        {
            await RunAsync(Base());
            while (many.Count < 1200)
            {
                many.Add(new FileStream("/dev/null", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0));
            }

            await RunAsync(new NftTransaction().AddSet(s_table, "late", "inet_service"));
            await Assert.ThrowsAsync<NftException>(() => RunAsync(new NftTransaction().DeleteSet(s_table, "nosuch")));
            Assert.Contains("set late", _nftables.ListTable(NftFamily.Ip, "balancer"), StringComparison.Ordinal);
        }
        finally
        {
            many.ForEach(file => file.Dispose());
        }
    }

    [Fact]
    public async Task A_transaction_lands_in_its_own_namespace()
    {
        Assert.Null(_nftables.ListTable(NftFamily.Ip, "balancer"));
        await RunAsync(Base());
        var listed = _nftables.ListTable(NftFamily.Ip, "balancer")!;
        Assert.Contains("type nat hook prerouting priority dstnat; policy accept;", listed, StringComparison.Ordinal);
        Assert.Equal(listed, await NamespaceFixture.RunAsync(_here, "nft", "list", "table", "ip", "balancer"));
        var elsewhere = _namespaces.Create("elsewhere");
        var other = new Nftables(elsewhere);
        Assert.Null(other.ListTable(NftFamily.Ip, "balancer"));
    }

    [Fact]
    public async Task A_refused_transaction_changes_nothing_and_says_why_in_nfts_words()
    {
        await RunAsync(Base());
        var before = _nftables.ListTable(NftFamily.Ip, "balancer");
        var broken = new NftTransaction().AddElement(s_table, "vips", "10.0.1.3 . tcp . 80", "goto svc1").DeleteChain(s_table, "absent");
        var refusal = await Assert.ThrowsAsync<NftException>(() => RunAsync(broken));
        Assert.Contains("No such file or directory", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, _nftables.ListTable(NftFamily.Ip, "balancer"));

        // The context is as good as before.
        await RunAsync(new NftTransaction().AddElement(s_table, "vips", "10.0.1.3 . tcp . 80", "goto svc1"));
        Assert.Contains("10.0.1.3 . tcp . 80", _nftables.ListTable(NftFamily.Ip, "balancer"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adding_and_deleting_a_table_can_be_repeated()
    {
        await RunAsync(Base());
        await RunAsync(Base());
        await RunAsync(new NftTransaction().DeleteTable(s_table));
        await RunAsync(new NftTransaction().DeleteTable(s_table));
        Assert.Null(_nftables.ListTable(NftFamily.Ip, "balancer"));
    }

    [Fact]
    public async Task A_change_by_another_process_is_seen_by_the_kept_context()
    {
        await RunAsync(Base());
        await NamespaceFixture.RunAsync(_here, "nft", "flush ruleset");
        Assert.Null(_nftables.ListTable(NftFamily.Ip, "balancer"));
        await RunAsync(Base());
        Assert.NotNull(_nftables.ListTable(NftFamily.Ip, "balancer"));
    }

    [Fact]
    public async Task Threads_that_open_and_close_all_the_time_leave_it_small_descriptors()
    {
        await RunAsync(Base());
        var stop = false;
        var busy = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(() => OpenAndClose(() => Volatile.Read(ref stop)), TaskCreationOptions.LongRunning)).ToList();
        for (var i = 0; i < 200; i++)
        {
            await RunAsync(new NftTransaction().AddElement(s_table, "vips", $"10.0.8.{i} . tcp . 80", "goto svc1"));
        }

        Volatile.Write(ref stop, true);
        await Task.WhenAll(busy);
        Assert.Equal(200, _nftables.ListTable(NftFamily.Ip, "balancer")!.Split("10.0.8.").Length - 1);
    }

    // Connections, some hundred at a time.
    private static void OpenAndClose(Func<bool> stop)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var open = new Queue<Socket>();
        while (!stop())
        {
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
            client.Connect(listener.LocalEndPoint!);
            open.Enqueue(client);
            open.Enqueue(listener.Accept());
            while (open.Count > 600)
            {
                open.Dequeue().Dispose();
            }
        }

        foreach (var socket in open)
        {
            socket.Dispose();
        }
    }

    [Fact]
    public async Task One_element_among_thousands_changes_in_a_millisecond()
    {
        var many = Base();
        for (var i = 0; i < 2000; i++)
        {
            many.AddElement(s_table, "vips", $"10.{1 + i / 250}.{i % 250}.2 . tcp . 80", "goto svc1");
        }

        await RunAsync(many);
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 20; i++)
        {
            var change = new NftTransaction().AddElement(s_table, "vips", $"10.0.9.{i} . tcp . 80", "goto svc1");
            var start = Stopwatch.GetTimestamp();
            await RunAsync(change);
            var took = Stopwatch.GetElapsedTime(start);
            fastest = took < fastest ? took : fastest;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"fastest element change: {fastest.TotalMilliseconds:f3} ms");
        Assert.InRange(fastest.TotalMilliseconds, 0, 2);
    }

    [Fact]
    public async Task Transactions_from_many_threads_take_turns()
    {
        await RunAsync(Base());
        await Parallel.ForAsync(0, 50, async (i, token) =>
            await _nftables.RunAsync(new NftTransaction().AddElement(s_table, "vips", $"10.0.7.{i} . tcp . 80", "goto svc1"), token));
        Assert.Equal(50, _nftables.ListTable(NftFamily.Ip, "balancer")!.Split("10.0.7.").Length - 1);
    }

    private static NftTransaction Base() => new NftTransaction()
        .AddTable(s_table)
        .AddMap(s_table, "vips", "ipv4_addr . inet_proto . inet_service : verdict")
        .AddChain(s_table, "svc1")
        .FlushChain(s_table, "svc1")
        .AddRule(s_table, "svc1", "dnat to numgen inc mod 2 map { 0 : 10.0.1.6, 1 : 10.0.1.7 }")
        .AddChain(s_table, "prerouting", new NftHook("nat", "prerouting", "dstnat"))
        .FlushChain(s_table, "prerouting")
        .AddRule(s_table, "prerouting", "ip daddr . meta l4proto . th dport vmap @vips");

    private Task RunAsync(NftTransaction transaction) => _nftables.RunAsync(transaction, TestContext.Current.CancellationToken);
}
