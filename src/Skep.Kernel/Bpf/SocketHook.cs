namespace Skep.Kernel.Bpf;

/// <summary>
/// Where a program on socket addresses (BPF_PROG_TYPE_CGROUP_SOCK_ADDR) runs: enum bpf_attach_type of linux/bpf.h. The 6 is for AF_INET6
/// sockets, whatever address they are given.
/// </summary>
public enum SocketHook
{
    Connect4 = 10,
    Connect6 = 11,

    /// <summary>A datagram that is sent to an address, not over a connected socket.</summary>
    SendMessage4 = 14,
    SendMessage6 = 15,

    /// <summary>Before the sender's address is told.</summary>
    ReceiveMessage4 = 19,
    ReceiveMessage6 = 20,
    PeerName4 = 29,
    PeerName6 = 30,
}
