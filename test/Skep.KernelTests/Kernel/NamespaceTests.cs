using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Sysctl;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

public sealed class NamespaceTests : IDisposable
{
    private readonly NamespaceFixture _namespaces = new();

    public void Dispose() => _namespaces.Dispose();

    [Fact]
    public void Created_twice_is_the_same_namespace_and_for_its_owner_alone()
    {
        var first = _namespaces.Create("one");
        using var again = NetworkNamespace.Create(first.Origin);
        using var other = _namespaces.Create("two");
        Assert.Equal(first.Inode, again.Inode);
        Assert.NotEqual(first.Inode, other.Inode);
    }

    [Fact]
    public void Delete_tells_whether_something_was_there()
    {
        var ns = _namespaces.Create("gone");
        Assert.True(NetworkNamespace.Delete(ns.Origin));
        Assert.False(NetworkNamespace.Delete(ns.Origin));
        Assert.False(File.Exists(ns.Origin));

        // The descriptor keeps it alive.
        Assert.Equal(ns.Inode, ns.Run(InodeHere));
    }

    [Fact]
    public void A_plain_file_left_by_a_reboot_becomes_the_mount_point()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("kt-").FullName, "left", "over");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        try
        {
            Assert.Throws<IOException>(() => NetworkNamespace.Open(path));
            using var ns = NetworkNamespace.Create(path);
            Assert.NotEqual(InodeHere(), ns.Inode);
        }
        finally
        {
            NetworkNamespace.Delete(path);
            Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(path)!)!, recursive: true);
        }
    }

    [Fact]
    public void Run_comes_back_also_after_a_failure_and_never_touches_the_callers_thread()
    {
        var (home, ns) = (InodeHere(), _namespaces.Create("visit"));
        Assert.Equal(ns.Inode, ns.Run(InodeHere));
        Assert.Throws<FormatException>(() => ns.Run(() => throw new FormatException()));
        Assert.Equal(home, InodeHere());
        for (var i = 0; i < 20; i++)
        {
            using var inside = ns.Run(NetworkNamespace.Current);
            Assert.Equal(ns.Inode, inside.Inode);
        }
    }

    [Fact]
    public void A_visit_inside_a_visit_ends_in_the_inner_namespace_and_both_threads_come_home()
    {
        var (outer, inner) = (_namespaces.Create("outer"), _namespaces.Create("inner"));
        var seen = outer.Run(() => (Inner: inner.Run(InodeHere), Outer: InodeHere()));
        Assert.Equal((inner.Inode, outer.Inode), seen);

        // The thread that the inner visit started was born inside the outer one; used again, it must not stand there.
        Parallel.For(0, 16, _ => Assert.Equal(inner.Inode, inner.Run(InodeHere)));
    }

    [Fact]
    public void An_asynchronous_body_is_refused()
    {
        var ns = _namespaces.Create("async");
        Task<int> Run() => ns.Run(() => Task.FromResult(1));
        Assert.Throws<ArgumentException>((Action)(() => _ = Run()));
    }

    [Fact]
    public void A_socket_stays_in_its_namespace()
    {
        var ns = _namespaces.Create("socket");
        using var inside = NamespaceFixture.OpenSocket(ns, SocketType.Stream, ProtocolType.Tcp);
        inside.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        inside.Listen();
        using var outside = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => outside.Connect(inside.LocalEndPoint!)).SocketErrorCode);
        using var neighbour = NamespaceFixture.OpenSocket(ns, SocketType.Stream, ProtocolType.Tcp);
        neighbour.Connect(inside.LocalEndPoint!);
        Assert.True(neighbour.Connected);
    }

    [Fact]
    public void A_setting_is_of_one_namespace()
    {
        var (one, two) = (_namespaces.Create("one"), _namespaces.Create("two"));
        SysctlFile.Set(one, "net.ipv4.ip_forward", "1");
        SysctlFile.Set(two, "net.ipv4.ip_forward", "0");
        Assert.Equal("1", SysctlFile.Get(one, "net.ipv4.ip_forward"));
        Assert.Equal("0", SysctlFile.Get(two, "net/ipv4/ip_forward"));
        Assert.ThrowsAny<IOException>(() => SysctlFile.Set(one, "net.ipv4.no_such_setting", "1"));
    }

    private static ulong InodeHere()
    {
        using var here = NetworkNamespace.Current();
        return here.Inode;
    }
}
