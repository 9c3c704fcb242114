using Skep.Kernel.Bpf;
using Skep.Model.Plans;
using static Skep.Kernel.Bpf.BpfRegister;

namespace Skep.Network.Sockets;

/// <summary>
/// The programs, one per hook. Each answers 1: the call goes on, with the address that the program left. R6 is the context all along; while
/// a VIP is turned into a backend R7 is the slot, R8 its index and R9 its list.
/// </summary>
internal sealed class SocketCode
{
    // struct bpf_sock_addr of linux/bpf.h.
    private const int ContextAddress4 = 4;
    private const int ContextAddress6 = 8;
    private const int ContextPort = 24;
    private const int ContextProtocol = 36;

    private const int Tcp = 6;
    private const int Udp = 17;

    // The frame, from R10 downwards.
    private const int VipKey = -24;
    private const int Vip = -16;
    private const int Space = -32;
    private const int Index = -40;
    private const int FlowKey = -72;
    private const int PeerKey = -104;
    private const int Peer = PeerKey + 8;
    private const int MemberKey = -128;
    private const int AffinityKey = -160;
    private const int Affinity = -184;
    private const int Since = -192;

    private readonly BpfAssembler _a = new();
    private readonly BpfLabel _pass = new();
    private readonly bool _six;

    private SocketCode(bool six) => _six = six;

    /// <summary>At most fifteen letters.</summary>
    public static string NameOf(SocketHook hook) => SocketLayout.NamePrefix + hook switch
    {
        SocketHook.Connect4 => "connect4",
        SocketHook.Connect6 => "connect6",
        SocketHook.SendMessage4 => "sendmsg4",
        SocketHook.SendMessage6 => "sendmsg6",
        SocketHook.ReceiveMessage4 => "recvmsg4",
        SocketHook.ReceiveMessage6 => "recvmsg6",
        SocketHook.PeerName4 => "getpeer4",
        SocketHook.PeerName6 => "getpeer6",
        _ => throw new ArgumentOutOfRangeException(nameof(hook), hook, null),
    };

    public static BpfCode Of(SocketHook hook)
    {
        var code = new SocketCode(hook is SocketHook.Connect6 or SocketHook.SendMessage6 or SocketHook.ReceiveMessage6 or SocketHook.PeerName6);
        code._a.Move(R6, R1);
        // Every program holds the map that tells whose it is.
        code._a.LoadMap(R1, SocketLayout.Owner);
        switch (hook)
        {
            case SocketHook.Connect4 or SocketHook.Connect6:
                code.Connect();
                break;
            case SocketHook.SendMessage4 or SocketHook.SendMessage6:
                code.Send();
                break;
            case SocketHook.ReceiveMessage4 or SocketHook.ReceiveMessage6:
                code.NamePeer(datagramsOnly: true);
                break;
            default:
                code.NamePeer(datagramsOnly: false);
                break;
        }

        code._a.Mark(code._pass);
        code._a.Move(R0, 1);
        code._a.Exit();
        return code._a.Build();
    }

    /// <summary>A stream, or a datagram socket that is given one peer for good: the next backend, and the VIP is noted as the peer's name.</summary>
    private void Connect()
    {
        var (known, datagrams) = (new BpfLabel(), new BpfLabel());
        _a.Load(BpfSize.Word, R1, R6, ContextProtocol);
        _a.JumpIf(R1, BpfCondition.Equal, Tcp, known);
        _a.JumpIf(R1, BpfCondition.NotEqual, Udp, _pass);
        _a.Mark(known);
        FindSlot();
        Choose();
        BeginPeerKey();
        _a.Load(BpfSize.Word, R1, R6, ContextProtocol);
        _a.JumpIf(R1, BpfCondition.Equal, Udp, datagrams);
        Update(SocketLayout.StreamPeers, PeerKey, Vip);
        WriteBack(R10, Peer);
        _a.Jump(_pass);
        _a.Mark(datagrams);
        Update(SocketLayout.DatagramPeers, PeerKey, Vip);
        WriteBack(R10, Peer);
    }

    /// <summary>A datagram to an address: the backend of those before it while that is one, otherwise the next.</summary>
    private void Send()
    {
        var (choose, chosen, note, noted) = (new BpfLabel(), new BpfLabel(), new BpfLabel(), new BpfLabel());
        _a.Load(BpfSize.Word, R1, R6, ContextProtocol);
        _a.JumpIf(R1, BpfCondition.NotEqual, Udp, _pass);
        FindSlot();
        BeginPeerKey();
        Copy(R10, PeerKey, FlowKey, 8);
        Copy(R10, Vip, FlowKey + 8, 16);
        Copy(R10, PeerKey + 24, FlowKey + 24, 8);
        Lookup(SocketLayout.DatagramFlows, FlowKey, choose);
        Copy(R0, 0, Peer, 16);
        LookupMember(choose);
        _a.Jump(chosen);

        _a.Mark(choose);
        Choose();
        Update(SocketLayout.DatagramFlows, FlowKey, Peer);

        _a.Mark(chosen);
        Lookup(SocketLayout.DatagramPeers, PeerKey, note);
        _a.Load(BpfSize.Double, R1, R0, 0);
        _a.Load(BpfSize.Double, R2, R10, Vip);
        _a.JumpIf(R1, BpfCondition.NotEqual, R2, note);
        _a.Load(BpfSize.Double, R1, R0, 8);
        _a.Load(BpfSize.Double, R2, R10, Vip + 8);
        _a.JumpIf(R1, BpfCondition.Equal, R2, noted);
        _a.Mark(note);
        Update(SocketLayout.DatagramPeers, PeerKey, Vip);
        _a.Mark(noted);
        WriteBack(R10, Peer);
    }

    /// <summary>Whom a backend is told as: the VIP that the socket asked for.</summary>
    private void NamePeer(bool datagramsOnly)
    {
        var (streams, found) = (new BpfLabel(), new BpfLabel());
        ReadAddress(Peer);
        BeginPeerKey();
        if (!datagramsOnly)
        {
            _a.Load(BpfSize.Word, R1, R6, ContextProtocol);
            _a.JumpIf(R1, BpfCondition.NotEqual, Udp, streams);
        }

        Lookup(SocketLayout.DatagramPeers, PeerKey, _pass);
        if (!datagramsOnly)
        {
            _a.Jump(found);
            _a.Mark(streams);
            Lookup(SocketLayout.StreamPeers, PeerKey, _pass);
            _a.Mark(found);
        }

        WriteBack(R0, 0);
    }

    // From the address and the socket's namespace to R7, R8 and R9.
    private void FindSlot()
    {
        var next = new BpfLabel();
        ReadAddress(Vip);
        _a.Move(R1, R6);
        _a.Call(BpfHelper.NamespaceCookie);
        _a.Store(BpfSize.Double, R10, Space, R0);
        Lookup(SocketLayout.Spaces, Space, _pass);
        _a.Move(R7, R0);
        _a.Move(R8, 0);
        _a.Store(BpfSize.Word, R10, VipKey + 4, 0);

        _a.Mark(next);
        _a.JumpIf(R8, BpfCondition.GreaterOrEqual, SocketLayout.MostNetworks, _pass);
        _a.Load(BpfSize.Word, R1, R7, 0);
        _a.JumpIf(R8, BpfCondition.GreaterOrEqual, R1, _pass);
        _a.Move(R1, R8);
        _a.Compute(BpfOperation.ShiftLeft, R1, 2);
        _a.Compute(BpfOperation.Add, R1, R7);
        _a.Load(BpfSize.Word, R1, R1, 4);
        _a.Store(BpfSize.Word, R10, VipKey, R1);
        _a.Compute(BpfOperation.Add, R8, 1);
        Lookup(SocketLayout.Services, VipKey, next);

        OpenSlot();
        // Few VIPs have ports that are balanced otherwise.
        var whole = new BpfLabel();
        _a.Load(BpfSize.Half, R1, R7, (SocketLayout.SlotKind * 8) + 6);
        _a.JumpIf(R1, BpfCondition.Equal, 0, whole);
        _a.Load(BpfSize.Word, R1, R6, ContextPort);
        _a.Store(BpfSize.Half, R10, VipKey + 4, R1);
        _a.Load(BpfSize.Word, R1, R6, ContextProtocol);
        _a.Store(BpfSize.Half, R10, VipKey + 6, R1);
        Lookup(SocketLayout.Services, VipKey, whole);
        OpenSlot();
        _a.Mark(whole);
        // An element that was read may have been taken from its service meanwhile; then the packet rules know what is right.
        _a.Load(BpfSize.Word, R1, R7, SocketLayout.SlotKind * 8);
        _a.Load(BpfSize.Word, R2, R10, VipKey);
        _a.JumpIf(R1, BpfCondition.NotEqual, R2, _pass);
        for (var word = 0; word < 2; word++)
        {
            _a.Load(BpfSize.Double, R1, R7, (SocketLayout.SlotVip + word) * 8);
            _a.Load(BpfSize.Double, R2, R10, Vip + (8 * word));
            _a.JumpIf(R1, BpfCondition.NotEqual, R2, _pass);
        }

        _a.Load(BpfSize.Double, R9, R7, SocketLayout.SlotList * 8);
    }

    // From the element at R0 to its slot.
    private void OpenSlot()
    {
        _a.Load(BpfSize.Word, R8, R0, 0);
        _a.Store(BpfSize.Word, R10, Index, R8);
        Lookup(SocketLayout.Slots, Index, _pass);
        _a.Move(R7, R0);
    }

    // Puts a backend at Peer; without any the VIP stays what it is.
    private void Choose()
    {
        var (turn, random, reach, done) = (new BpfLabel(), new BpfLabel(), new BpfLabel(), new BpfLabel());
        _a.Move(R1, R9);
        _a.Compute(BpfOperation.ShiftRight, R1, 32);
        _a.JumpIf(R1, BpfCondition.Equal, 0, _pass);
        LoadMode();
        _a.JumpIf(R1, BpfCondition.Equal, (int)BalanceMode.Random, random);
        _a.JumpIf(R1, BpfCondition.NotEqual, (int)BalanceMode.Source, turn);
        LookupAffinity(turn);
        _a.Jump(done);

        _a.Mark(turn);
        _a.Move(R2, 1);
        _a.FetchAndAdd(R7, SocketLayout.SlotTurn * 8, R2);
        _a.Jump(reach);

        _a.Mark(random);
        _a.Call(BpfHelper.Random);
        _a.Move(R2, R0);

        _a.Mark(reach);
        _a.Move(R1, R9);
        _a.Compute(BpfOperation.ShiftRight, R1, 32);
        _a.Compute(BpfOperation.Remainder, R2, R1);
        _a.MoveLowerHalf(R1, R9);
        _a.Compute(BpfOperation.Add, R2, R1);
        _a.Store(BpfSize.Word, R10, Index, R2);
        Lookup(SocketLayout.Backends, Index, _pass);
        Copy(R0, 0, Peer, 16);
        // A list that somebody else wrote may lead to another service's backends; then the packet rules know what is right.
        LookupActive(_pass);

        _a.Mark(done);
        NoteAffinity();
    }

    // A client stays with the backend of its last flow while that takes new ones and was not too long ago.
    private void LookupAffinity(BpfLabel otherwise)
    {
        BuildAffinityKey();
        Lookup(SocketLayout.Affinities, AffinityKey, otherwise);
        Copy(R0, 0, Peer, 16);
        Copy(R0, 16, Since, 8);
        _a.Call(BpfHelper.Time);
        _a.Load(BpfSize.Double, R1, R10, Since);
        _a.Compute(BpfOperation.Subtract, R0, R1);
        _a.Load(BpfSize.Double, R1, R7, SocketLayout.SlotAffinity * 8);
        _a.JumpIf(R0, BpfCondition.Greater, R1, otherwise);
        LookupActive(otherwise);
    }

    private void NoteAffinity()
    {
        var none = new BpfLabel();
        LoadMode();
        _a.JumpIf(R1, BpfCondition.NotEqual, (int)BalanceMode.Source, none);
        Copy(R10, Peer, Affinity, 16);
        _a.Call(BpfHelper.Time);
        _a.Store(BpfSize.Double, R10, Affinity + 16, R0);
        BuildAffinityKey();
        Update(SocketLayout.Affinities, AffinityKey, Affinity);
        _a.Mark(none);
    }

    private void BuildAffinityKey()
    {
        Copy(R10, Space, AffinityKey, 8);
        _a.Load(BpfSize.Word, R1, R10, VipKey);
        _a.Store(BpfSize.Word, R10, AffinityKey + 8, R1);
        _a.Store(BpfSize.Word, R10, AffinityKey + 12, 0);
        Copy(R10, Vip, AffinityKey + 16, 16);
    }

    private void LoadMode() => _a.Load(BpfSize.Half, R1, R7, (SocketLayout.SlotKind * 8) + 4);

    // Whether the address at Peer is one of the service's that get new flows.
    private void LookupActive(BpfLabel otherwise)
    {
        LookupMember(otherwise);
        _a.Load(BpfSize.Word, R1, R0, 0);
        _a.JumpIf(R1, BpfCondition.NotEqual, SocketLayout.Active, otherwise);
    }

    // Whether the address at Peer is still the service's; R0 is where its state stands.
    private void LookupMember(BpfLabel otherwise)
    {
        _a.Store(BpfSize.Word, R10, MemberKey, R8);
        _a.Store(BpfSize.Word, R10, MemberKey + 4, 0);
        Copy(R10, Peer, MemberKey + 8, 16);
        Lookup(SocketLayout.Members, MemberKey, otherwise);
    }

    // The socket's cookie and the port; the address at Peer stands between them.
    private void BeginPeerKey()
    {
        _a.Move(R1, R6);
        _a.Call(BpfHelper.SocketCookie);
        _a.Store(BpfSize.Double, R10, PeerKey, R0);
        _a.Load(BpfSize.Word, R1, R6, ContextPort);
        _a.Store(BpfSize.Word, R10, PeerKey + 24, R1);
        _a.Store(BpfSize.Word, R10, PeerKey + 28, 0);
    }

    // What is said to the machine itself (127.0.0.11 above all) is nobody's VIP.
    private void ReadAddress(int to)
    {
        if (_six)
        {
            for (var word = 0; word < 16; word += 4)
            {
                _a.Load(BpfSize.Word, R1, R6, ContextAddress6 + word);
                _a.Store(BpfSize.Word, R10, to + word, R1);
            }

            return;
        }

        _a.Load(BpfSize.Word, R1, R6, ContextAddress4);
        _a.Move(R2, R1);
        _a.Compute(BpfOperation.And, R2, 0xff);
        _a.JumpIf(R2, BpfCondition.Equal, 127, _pass);
        _a.Store(BpfSize.Double, R10, to, 0);
        _a.Store(BpfSize.Word, R10, to + 8, unchecked((int)0xffff0000));
        _a.Store(BpfSize.Word, R10, to + 12, R1);
    }

    private void WriteBack(BpfRegister from, int offset)
    {
        if (_six)
        {
            for (var word = 0; word < 16; word += 4)
            {
                _a.Load(BpfSize.Word, R1, from, offset + word);
                _a.Store(BpfSize.Word, R6, ContextAddress6 + word, R1);
            }

            return;
        }

        _a.Load(BpfSize.Word, R1, from, offset + 12);
        _a.Store(BpfSize.Word, R6, ContextAddress4, R1);
    }

    private void Copy(BpfRegister from, int offset, int to, int length)
    {
        for (var at = 0; at < length; at += 8)
        {
            _a.Load(BpfSize.Double, R1, from, offset + at);
            _a.Store(BpfSize.Double, R10, to + at, R1);
        }
    }

    private void Lookup(string map, int key, BpfLabel otherwise)
    {
        _a.LoadMap(R1, map);
        Place(R2, key);
        _a.Call(BpfHelper.MapLookup);
        _a.JumpIf(R0, BpfCondition.Equal, 0, otherwise);
    }

    private void Update(string map, int key, int value)
    {
        _a.LoadMap(R1, map);
        Place(R2, key);
        Place(R3, value);
        _a.Move(R4, 0);
        _a.Call(BpfHelper.MapUpdate);
    }

    private void Place(BpfRegister register, int frame)
    {
        _a.Move(register, R10);
        _a.Compute(BpfOperation.Add, register, frame);
    }
}
