namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/xfrm.h: numbers.</summary>
internal static class Xfrm
{
    public const ushort XFRM_MSG_NEWSA = 0x10;
    public const ushort XFRM_MSG_DELSA = 0x11;
    public const ushort XFRM_MSG_GETSA = 0x12;
    public const ushort XFRM_MSG_NEWPOLICY = 0x13;
    public const ushort XFRM_MSG_DELPOLICY = 0x14;
    public const ushort XFRM_MSG_GETPOLICY = 0x15;
    public const ushort XFRM_MSG_UPDPOLICY = 0x19;

    // enum xfrm_nlgroups
    public const int XFRMNLGRP_EXPIRE = 2;
    public const int XFRMNLGRP_SA = 3;
    public const int XFRMNLGRP_POLICY = 4;

    // enum xfrm_attr_type_t
    public const ushort XFRMA_TMPL = 5;
    public const ushort XFRMA_ALG_AEAD = 18;
    public const ushort XFRMA_REPLAY_ESN_VAL = 23;

    public const byte XFRM_MODE_TRANSPORT = 0;
    public const byte XFRM_STATE_ESN = 128;
    public const byte XFRM_POLICY_ALLOW = 0;
    public const byte XFRM_POLICY_BLOCK = 1;
    public const ulong XFRM_INF = ulong.MaxValue;

    /// <summary>linux/in.h.</summary>
    public const byte IPPROTO_UDP = 17;

    /// <summary>linux/in.h.</summary>
    public const byte IPPROTO_ESP = 50;
}
