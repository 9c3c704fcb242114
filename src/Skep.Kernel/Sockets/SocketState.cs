namespace Skep.Kernel.Sockets;

/// <summary>The states of a TCP socket, as the kernel numbers them (net/tcp_states.h). A UDP socket that is bound is Close, a connected one Established.</summary>
public enum SocketState
{
    Established = 1,
    SynSent = 2,
    SynReceived = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    Close = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
    NewSynReceived = 12,
}
